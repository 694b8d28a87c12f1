// DESIGN section 3 once more, character by character and without any regard for speed: what the fuzz tests hold the csv room to.

export type Reference = { rows: string[][]; openQuote: boolean; surplus: number };

/** Records of `text`, blank lines skipped, header included; cells are not padded. */
export function readRecords(
  text: string,
  delimiter: string,
  recordEnd: "\n" | "\r",
): { records: string[][]; openQuote: boolean } {
  const records: string[][] = [];
  const end = recordEnd === "\n" ? text.replace(/\r+$/, "").length : text.length;
  const nuls = recordEnd === "\n" ? /\0+(\r*\n|\r*$)/y : /\0+(\r|$)/y;
  let record: string[] = [];
  let cell = "";
  let state: "start" | "plain" | "quoted" = "start";
  let isBlank = true;
  const finish = () => {
    if (!isBlank) records.push([...record, cell]);
    record = [];
    cell = "";
    isBlank = true;
    state = "start";
  };
  for (let i = 0; i < end; i++) {
    const c = text[i]!;
    nuls.lastIndex = i;
    if (record.length === 0 && isBlank && state === "start" && nuls.test(text)) {
      i = nuls.lastIndex - 1;
      continue;
    }
    let opening = i;
    while (state === "start" && text[opening] !== delimiter && /[ \t]/.test(text[opening] ?? "")) opening++;
    if (state === "quoted") {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') cell += text[i++];
      else state = "plain";
    } else if (state === "start" && text[opening] === '"') {
      i = opening;
      state = "quoted";
      isBlank = false;
    } else if (c === delimiter) {
      record.push(cell);
      cell = "";
      isBlank = false;
      state = "start";
    } else if (c === recordEnd) finish();
    else if (recordEnd === "\n" && c === "\r" && /^\r*\n/.test(text.slice(i))) continue;
    else {
      cell += c;
      isBlank = false;
      state = "plain";
    }
  }
  const openQuote = state === "quoted";
  if (!openQuote) finish();
  return { records, openQuote };
}

/** The rows under a header of `columns` names: short ones filled with "", long ones cut. */
export function toRows(records: string[][], columns: number): { rows: string[][]; surplus: number } {
  let surplus = 0;
  const rows = records.map((record) => {
    surplus += record.slice(columns).filter((cell) => cell !== "").length;
    return Array.from({ length: columns }, (_, c) => record[c] ?? "");
  });
  return { rows, surplus };
}
