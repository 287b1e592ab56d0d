/** Scripts for shells that are part of the program, imported as text. */
declare module "*.bash" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: that is the form of such an import
  export default text;
}
declare module "*.zsh" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: that is the form of such an import
  export default text;
}
declare module "*.fish" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: that is the form of such an import
  export default text;
}
