/** The least that a compiled program can do: what `cold-enqueue.ts` measures against. */
console.log("Hello");
