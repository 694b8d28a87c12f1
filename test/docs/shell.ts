// The words of a line of shell, as far as the pages need them: quotes and comments. Nothing is expanded.

export function wordsOf(line: string): string[] {
  const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(#.*)|([^\s"'#]\S*)/g)];
  return words.flatMap(([, double, single, comment, plain]) => {
    if (comment !== undefined) return [];
    return [double ?? single ?? plain ?? ""];
  });
}
