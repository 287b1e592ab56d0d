/** A file of SQL that is part of the program, imported as text. */
declare module "*.sql" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: that is the form of such an import
  export default text;
}
