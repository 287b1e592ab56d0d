/** A file of SQL that is part of the program, imported as text. */
declare module "*.sql" {
  const text: string;
  export default text;
}
