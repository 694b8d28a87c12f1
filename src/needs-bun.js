// What `import "csvcast"` comes to where Bun is not: a word of what does run there, instead of an error in a file of TypeScript.
throw new Error(
  "csvcast: the server and convertCsvToJson need Bun, https://bun.sh; in Node and browsers import from csvcast/client",
);
