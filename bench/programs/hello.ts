/** The least that a compiled program can do: what `cold-start.ts` measures against. */
console.log("Hello");
