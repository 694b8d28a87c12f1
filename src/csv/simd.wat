;; The plain records of a CSV, sixteen bytes at a time: what json.ts (write) and records.ts (walkRecords) do, for the records that
;; need no judgement. Both stop before any other record, and leave it to those. `bun run wat` makes simd.bytes.ts of this.
;;
;; Memory:      0  the short escapes of JSON for each byte, two bytes each; 0 where there is none
;;            512  for each byte whether a record that begins with it may be no row
;;            768  beginnings of records that are no rows: sixteen bytes, and a mask of those that count, each
;;           1280  for each column where what stands before its cell is, how long that is, what becomes of the cell, and its decimal sign
;;          17664  what stands before the cells, with 32 bytes of room behind it
;;          65536  source: at most 64 kB, and 32 record ends behind it
;;         131584  output: JSON, or where records begin
(module
  (memory (export "memory") 4 65536)
  (global $at (export "at") (mut i32) (i32.const 0))
  (global $rows (export "rows") (mut i32) (i32.const 0))
  (global $twoByte (export "twoByte") (mut i32) (i32.const 0))
  (global $lastRowAt (export "lastRowAt") (mut i32) (i32.const 0))
  (global $longest (export "longest") (mut i32) (i32.const 0))
  (global $isBorder (export "isBorder") (mut i32) (i32.const 0))

  ;; Whether the record at $i, which begins with such a byte, may be no row.
  (func $isNoRow (param $i i32) (param $needles i32) (result i32)
    (local $n i32)
    (if (i32.le_u (i32.load8_u (local.get $i)) (i32.const 13)) (then (return (i32.const 1)))) ;; blank, or NULs
    (loop $next
      (if (i32.ge_u (local.get $n) (local.get $needles)) (then (return (i32.const 0))))
      (if (i32.eqz (v128.any_true (v128.and
            (v128.load offset=784 (i32.shl (local.get $n) (i32.const 5)))
            (v128.xor (v128.load (local.get $i)) (v128.load offset=768 (i32.shl (local.get $n) (i32.const 5)))))))
        (then (return (i32.const 1))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $next))
    (unreachable))

  ;; Cells become strings (0); or strings if they begin with a digit (1), or numbers (2): other cells of such columns take judgement, and so
  ;; do rows that lack cells then. A number takes the place of the quote before it.
  ;;
  ;; Writes the records in [$i, $end) as rows at $o, while that is at most $safe; the byte before $end is a record end. `at`, `rows`, `twoByte` and
  ;; `lastRowAt` tell how far it got. $limit: bytes above it are not copied; two bytes of UTF-8 become one of latin1 if it is
  ;; 0x7f. $breaks: any cell may have line ends; without it those may whose quote the next line closes.
  (func (export "write") (param $i i32) (param $end i32) (param $o i32) (param $safe i32) (param $columns i32)
      (param $delimiter i32) (param $recordEnd i32) (param $limit i32) (param $rowEnd i32) (param $rowEndLength i32)
      (param $needles i32) (param $breaks i32)
      (result i32)
    (local $recordAt i32) (local $rowAt i32) (local $twoByteBefore i32) (local $c i32) (local $frame i32) (local $length i32)
    (local $k i32) (local $byte i32) (local $column i32) (local $kind i32) (local $isCell i32)
    (local $v v128) (local $delimiters v128) (local $limits v128)
    (local.set $delimiters (i8x16.splat (local.get $delimiter)))
    (local.set $limits (i8x16.splat (local.get $limit)))
    (global.set $rows (i32.const 0))
    (global.set $twoByte (i32.const 0))
    (block $stop
      (loop $record
        (local.set $recordAt (local.get $i))
        (local.set $rowAt (local.get $o))
        (local.set $twoByteBefore (global.get $twoByte))
        (br_if $stop (i32.or (i32.ge_u (local.get $i) (local.get $end)) (i32.gt_u (local.get $o) (local.get $safe))))
        (if (i32.load8_u offset=512 (i32.load8_u (local.get $i)))
          (then (br_if $stop (call $isNoRow (local.get $i) (local.get $needles)))))
        (local.set $c (i32.const 0))
        (block $row
          (loop $cell
            (block $written
            (local.set $column (i32.shl (local.get $c) (i32.const 4)))
            (local.set $frame (i32.load offset=1280 (local.get $column)))
            (local.set $length (i32.load offset=1284 (local.get $column)))
            (local.set $kind (i32.load offset=1288 (local.get $column)))
            (v128.store (local.get $o) (v128.load (local.get $frame)))
            (v128.store offset=16 (local.get $o) (v128.load offset=16 (local.get $frame)))
            (if (i32.gt_u (local.get $length) (i32.const 32))
              (then (memory.copy (local.get $o) (local.get $frame) (local.get $length))))
            (local.set $o (i32.add (local.get $o) (local.get $length)))
            (local.set $byte (i32.load8_u (local.get $i)))
            (if (local.get $kind)
              (then
                (if (i32.eq (local.get $kind) (i32.const 2))
                  (then
                    (local.set $k
                      (call $number (local.get $i) (local.get $o) (i32.load offset=1292 (local.get $column))))
                    (br_if $stop (i32.eqz (local.get $k)))
                    (local.set $i (i32.add (local.get $i) (local.get $k)))
                    (local.set $o (i32.add (local.get $o) (i32.sub (local.get $k) (i32.const 1))))
                    (local.set $byte (i32.load8_u (local.get $i)))
                    (if (i32.and (i32.eq (local.get $byte) (i32.const 13)) (i32.eq (local.get $recordEnd) (i32.const 10)))
                      (then
                        (br_if $stop (i32.ne (i32.load8_u offset=1 (local.get $i)) (i32.const 10)))
                        (local.set $i (i32.add (local.get $i) (i32.const 1)))
                        (local.set $byte (local.get $recordEnd))))
                    (br_if $stop (i32.and
                      (i32.ne (local.get $byte) (local.get $delimiter))
                      (i32.ne (local.get $byte) (local.get $recordEnd))))
                    (br $written)))
                (br_if $stop (i32.ge_u (i32.sub (local.get $byte) (i32.const 48)) (i32.const 10)))))
            (if (i32.and (i32.le_u (local.get $byte) (i32.const 34)) (i32.ne (local.get $byte) (local.get $delimiter)))
              (then
                (local.set $k (local.get $i))
                (loop $blank
                  (if (i32.or (i32.eq (local.get $byte) (i32.const 32)) (i32.eq (local.get $byte) (i32.const 9)))
                    (then
                      (local.set $k (i32.add (local.get $k) (i32.const 1)))
                      (local.set $byte (i32.load8_u (local.get $k)))
                      (br_if $blank (i32.ne (local.get $byte) (local.get $delimiter))))))
                (if (i32.eq (local.get $byte) (i32.const 34))
                  (then
                    (br_if $stop (i32.ne (local.get $k) (local.get $i))) ;; blanks before a quote
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (local.set $isCell (i32.const 0))
                    (block $closed
                      (loop $quoted
                        (local.set $v (v128.load (local.get $i)))
                        (v128.store (local.get $o) (local.get $v))
                        (local.set $k (i8x16.bitmask (v128.or
                          (v128.or
                            (i8x16.eq (local.get $v) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34))
                            (i8x16.eq (local.get $v) (v128.const i8x16 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92)))
                          (v128.or
                            (i8x16.lt_u (local.get $v) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32))
                            (i8x16.gt_u (local.get $v) (local.get $limits))))))
                        (if (i32.eqz (local.get $k))
                          (then
                            (local.set $i (i32.add (local.get $i) (i32.const 16)))
                            (local.set $o (i32.add (local.get $o) (i32.const 16)))
                            (br $quoted)))
                        (local.set $k (i32.ctz (local.get $k)))
                        (local.set $i (i32.add (local.get $i) (local.get $k)))
                        (local.set $o (i32.add (local.get $o) (local.get $k)))
                        (br_if $stop (i32.ge_u (local.get $i) (local.get $end))) ;; still open
                        (local.set $byte (i32.load8_u (local.get $i)))
                        (if (i32.eq (local.get $byte) (i32.const 34))
                          (then
                            (local.set $i (i32.add (local.get $i) (i32.const 1)))
                            (br_if $closed (i32.ne (i32.load8_u (local.get $i)) (i32.const 34))))
                          (else
                            (if (i32.and
                                  (i32.eq (local.get $byte) (local.get $recordEnd))
                                  (i32.eqz (i32.or (local.get $breaks) (local.get $isCell))))
                              (then
                                (br_if $stop (i32.eqz (call $closesSoon
                                  (i32.add (local.get $i) (i32.const 1))
                                  (local.get $end)
                                  (local.get $c)
                                  (local.get $delimiter)
                                  (local.get $recordEnd))))
                                (local.set $isCell (i32.const 1))))))
                        (local.set $k (call $special (local.get $i) (local.get $o) (local.get $limit)))
                        (br_if $stop (i32.eqz (local.get $k)))
                        (local.set $i (i32.add (local.get $i) (i32.and (local.get $k) (i32.const 15))))
                        (local.set $o (i32.add (local.get $o) (i32.shr_u (local.get $k) (i32.const 4))))
                        (br $quoted)))))))
            (block $done
              (loop $plain
                (local.set $v (v128.load (local.get $i)))
                (v128.store (local.get $o) (local.get $v))
                (local.set $k (i8x16.bitmask (v128.or (i8x16.eq (local.get $v) (local.get $delimiters)) (v128.or
                  (v128.or
                    (i8x16.eq (local.get $v) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34))
                    (i8x16.eq (local.get $v) (v128.const i8x16 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92)))
                  (v128.or
                    (i8x16.lt_u (local.get $v) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32))
                    (i8x16.gt_u (local.get $v) (local.get $limits)))))))
                (if (i32.eqz (local.get $k))
                  (then
                    (local.set $i (i32.add (local.get $i) (i32.const 16)))
                    (local.set $o (i32.add (local.get $o) (i32.const 16)))
                    (br $plain)))
                (local.set $k (i32.ctz (local.get $k)))
                (local.set $i (i32.add (local.get $i) (local.get $k)))
                (local.set $o (i32.add (local.get $o) (local.get $k)))
                (local.set $byte (i32.load8_u (local.get $i)))
                (br_if $done (i32.eq (local.get $byte) (local.get $delimiter)))
                (br_if $done (i32.eq (local.get $byte) (local.get $recordEnd)))
                (if (i32.eq (local.get $byte) (i32.const 13))
                  (then
                    (br_if $stop (i32.ne (i32.load8_u offset=1 (local.get $i)) (i32.const 10))) ;; lone
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br $done)))
                (local.set $k (call $special (local.get $i) (local.get $o) (local.get $limit)))
                (br_if $stop (i32.eqz (local.get $k)))
                (local.set $i (i32.add (local.get $i) (i32.and (local.get $k) (i32.const 15))))
                (local.set $o (i32.add (local.get $o) (i32.shr_u (local.get $k) (i32.const 4))))
                (br $plain)))
            (if (local.get $kind)
              (then
                (i32.store8 (local.get $o) (i32.const 34))
                (local.set $o (i32.add (local.get $o) (i32.const 1))))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (local.set $c (i32.add (local.get $c) (i32.const 1)))
            (br_if $row (i32.ne (local.get $byte) (local.get $delimiter)))
            (br_if $cell (i32.lt_u (local.get $c) (local.get $columns))))
          ;; A surplus cell: an empty one at the end is none.
          (br_if $stop (i32.ne (i32.load8_u (local.get $i)) (local.get $recordEnd)))
          (local.set $i (i32.add (local.get $i) (i32.const 1))))
        (loop $missing
          (if (i32.lt_u (local.get $c) (local.get $columns))
            (then
              (local.set $column (i32.shl (local.get $c) (i32.const 4)))
              (br_if $stop (i32.load offset=1288 (local.get $column)))
              (local.set $length (i32.load offset=1284 (local.get $column)))
              (memory.copy (local.get $o) (i32.load offset=1280 (local.get $column)) (local.get $length))
              (local.set $o (i32.add (local.get $o) (local.get $length)))
              (local.set $c (i32.add (local.get $c) (i32.const 1)))
              (br $missing))))
        (i32.store (local.get $o) (local.get $rowEnd))
        (local.set $o (i32.add (local.get $o) (local.get $rowEndLength)))
        (global.set $rows (i32.add (global.get $rows) (i32.const 1)))
        (global.set $lastRowAt (local.get $rowAt))
        (br $record)))
    (global.set $at (local.get $recordAt))
    (global.set $twoByte (local.get $twoByteBefore))
    (local.get $rowAt))

  ;; Copies the number at $i to $o - 1, with a point as its decimal sign. Returns its length; 0 if it is none, or takes more than 15 bytes.
  (func $number (param $i i32) (param $o i32) (param $point i32) (result i32)
    (local $v v128) (local $others i32) (local $start i32) (local $k i32) (local $fraction i32)
    (local.set $v (v128.load (local.get $i)))
    (v128.store (i32.sub (local.get $o) (i32.const 1)) (local.get $v))
    (local.set $others (i32.or (i32.const 0x10000) (i8x16.bitmask (i8x16.ge_u
      (i8x16.sub (local.get $v) (v128.const i8x16 48 48 48 48 48 48 48 48 48 48 48 48 48 48 48 48))
      (v128.const i8x16 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10)))))
    (local.set $start (i32.eq (i32.load8_u (local.get $i)) (i32.const 45)))
    (local.set $others (i32.and (local.get $others) (i32.sub (i32.const -1) (local.get $start))))
    (local.set $k (i32.ctz (local.get $others)))
    (if (i32.or
          (i32.eq (local.get $k) (local.get $start))
          (i32.and
            (i32.gt_u (local.get $k) (i32.add (local.get $start) (i32.const 1)))
            (i32.eq (i32.load8_u (i32.add (local.get $i) (local.get $start))) (i32.const 48))))
      (then (return (i32.const 0))))
    (if (i32.eq (i32.load8_u (i32.add (local.get $i) (local.get $k))) (local.get $point))
      (then
        (i32.store8 (i32.sub (i32.add (local.get $o) (local.get $k)) (i32.const 1)) (i32.const 46))
        (local.set $fraction (local.get $k))
        (local.set $others (i32.and (local.get $others) (i32.sub (local.get $others) (i32.const 1))))
        (local.set $k (i32.ctz (local.get $others)))
        (if (i32.eq (local.get $k) (i32.add (local.get $fraction) (i32.const 1))) (then (return (i32.const 0))))))
    (select (local.get $k) (i32.const 0) (i32.lt_u (local.get $k) (i32.const 16))))

  ;; Writes what the byte at $i becomes that is not copied. Returns how many bytes were read, and shifted by 4 how many were written; 0 if
  ;; that is not simple.
  (func $special (param $i i32) (param $o i32) (param $limit i32) (result i32)
    (local $byte i32)
    (local.set $byte (i32.load8_u (local.get $i)))
    (i32.store16 (local.get $o) (i32.load16_u (i32.shl (local.get $byte) (i32.const 1))))
    (if (i32.load16_u (i32.shl (local.get $byte) (i32.const 1))) (then (return (i32.const 0x21))))
    (if (i32.and (i32.eq (local.get $limit) (i32.const 0x7f)) (i32.eq (i32.and (local.get $byte) (i32.const 0xfe)) (i32.const 0xc2)))
      (then
        (i32.store8 (local.get $o) (i32.or
          (i32.shl (local.get $byte) (i32.const 6))
          (i32.and (i32.load8_u offset=1 (local.get $i)) (i32.const 0x3f))))
        (global.set $twoByte (i32.add (global.get $twoByte) (i32.const 1)))
        (return (i32.const 0x12))))
    (i32.const 0))

  ;; Whether the line at $i closes the quote that opened field $field in the line before, so that it is a cell: closesSoon of quotes.ts.
  (func $closesSoon (param $i i32) (param $end i32) (param $field i32) (param $delimiter i32) (param $recordEnd i32)
      (result i32)
    (local $byte i32) (local $delimiters i32)
    (loop $next
      (local.set $byte (i32.load8_u (local.get $i)))
      (if (i32.or (i32.ge_u (local.get $i) (local.get $end)) (i32.eq (local.get $byte) (local.get $recordEnd)))
        (then (return (i32.const 0))))
      (if (i32.eq (local.get $byte) (local.get $delimiter))
        (then (local.set $delimiters (i32.add (local.get $delimiters) (i32.const 1)))))
      (if (i32.ge_u (local.get $delimiters) (local.get $field)) (then (return (i32.const 0))))
      (if (i32.eq (local.get $byte) (i32.const 34))
        (then
          (local.set $byte (i32.load8_u offset=1 (local.get $i)))
          (if (i32.ne (local.get $byte) (i32.const 34))
            (then (return (i32.or
              (i32.eq (local.get $byte) (local.get $delimiter))
              (i32.or (i32.eq (local.get $byte) (local.get $recordEnd)) (i32.eq (local.get $byte) (i32.const 13)))))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next))
    (unreachable))

  ;; Finds the records in [$i, $end) that have at most $columns fields; the byte before $end is a record end. Writes where they begin, from
  ;; $blockStart on, to $o, and tells with `at`, `rows` and `longest` what it found. Stops before a record with which the block would be
  ;; longer than $max, and behind one that ends it (`isBorder`). $breaks as in `write`.
  (func (export "scan") (param $i i32) (param $end i32) (param $o i32) (param $columns i32) (param $delimiter i32)
      (param $recordEnd i32) (param $needles i32) (param $breaks i32) (param $blockStart i32) (param $min i32) (param $max i32)
    (local $recordAt i32) (local $c i32) (local $k i32) (local $below i32) (local $byte i32) (local $isCell i32)
    (local $v v128) (local $delimiters v128) (local $recordEnds v128)
    (local.set $delimiters (i8x16.splat (local.get $delimiter)))
    (local.set $recordEnds (i8x16.splat (local.get $recordEnd)))
    (global.set $rows (i32.const 0))
    (global.set $longest (i32.const 0))
    (global.set $isBorder (i32.const 0))
    (block $stop
      (loop $record
        (local.set $recordAt (local.get $i))
        (br_if $stop (i32.ge_u (local.get $i) (local.get $end)))
        (if (i32.load8_u offset=512 (i32.load8_u (local.get $i)))
          (then (br_if $stop (call $isNoRow (local.get $i) (local.get $needles)))))
        (local.set $c (i32.const 1))
        (block $found
          (block $hasQuote
            (loop $sixteen
              (local.set $v (v128.load (local.get $i)))
              (local.set $k (i8x16.bitmask (i8x16.eq (local.get $v) (local.get $recordEnds))))
              (local.set $below (i32.sub (i32.and (local.get $k) (i32.sub (i32.const 0) (local.get $k))) (i32.const 1)))
              (br_if $hasQuote (i32.and (local.get $below) (i8x16.bitmask
                (i8x16.eq (local.get $v) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34)))))
              (local.set $c (i32.add (local.get $c) (i32.popcnt (i32.and
                (local.get $below)
                (i8x16.bitmask (i8x16.eq (local.get $v) (local.get $delimiters)))))))
              (if (local.get $k)
                (then
                  (local.set $i (i32.add (local.get $i) (i32.add (i32.ctz (local.get $k)) (i32.const 1))))
                  (br $found)))
              (local.set $i (i32.add (local.get $i) (i32.const 16)))
              (br $sixteen)))
          ;; Once more, cell by cell.
          (local.set $i (local.get $recordAt))
          (local.set $c (i32.const 0))
          (loop $cell
            (local.set $c (i32.add (local.get $c) (i32.const 1)))
            (local.set $k (local.get $i))
            (local.set $byte (i32.load8_u (local.get $k)))
            (loop $blank
              (if (i32.and
                    (i32.ne (local.get $byte) (local.get $delimiter))
                    (i32.or (i32.eq (local.get $byte) (i32.const 32)) (i32.eq (local.get $byte) (i32.const 9))))
                (then
                  (local.set $k (i32.add (local.get $k) (i32.const 1)))
                  (local.set $byte (i32.load8_u (local.get $k)))
                  (br $blank))))
            (if (i32.and (i32.eq (local.get $byte) (i32.const 34)) (i32.ne (local.get $delimiter) (i32.const 34)))
              (then
                (br_if $stop (i32.ne (local.get $k) (local.get $i)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (local.set $isCell (i32.const 0))
                (loop $quoted
                  (local.set $v (v128.load (local.get $i)))
                  (local.set $k (i8x16.bitmask (v128.or
                    (i8x16.eq (local.get $v) (local.get $recordEnds))
                    (i8x16.eq (local.get $v) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34)))))
                  (if (i32.eqz (local.get $k))
                    (then
                      (local.set $i (i32.add (local.get $i) (i32.const 16)))
                      (br $quoted)))
                  (local.set $i (i32.add (local.get $i) (i32.ctz (local.get $k))))
                  (br_if $stop (i32.ge_u (local.get $i) (local.get $end))) ;; still open
                  (local.set $byte (i32.load8_u (local.get $i)))
                  (local.set $i (i32.add (local.get $i) (i32.const 1)))
                  (if (i32.eq (local.get $byte) (i32.const 34))
                    (then
                      (if (i32.eq (i32.load8_u (local.get $i)) (i32.const 34))
                        (then
                          (local.set $i (i32.add (local.get $i) (i32.const 1)))
                          (br $quoted))))
                    (else
                      (if (i32.eqz (i32.or (local.get $breaks) (local.get $isCell)))
                        (then
                          (br_if $stop (i32.eqz (call $closesSoon
                            (local.get $i)
                            (local.get $end)
                            (i32.sub (local.get $c) (i32.const 1))
                            (local.get $delimiter)
                            (local.get $recordEnd))))
                          (local.set $isCell (i32.const 1))))
                      (br $quoted))))))
            (loop $plain
              (local.set $v (v128.load (local.get $i)))
              (local.set $k (i8x16.bitmask (v128.or
                (i8x16.eq (local.get $v) (local.get $recordEnds))
                (i8x16.eq (local.get $v) (local.get $delimiters)))))
              (if (i32.eqz (local.get $k))
                (then
                  (local.set $i (i32.add (local.get $i) (i32.const 16)))
                  (br $plain)))
              (local.set $i (i32.add (local.get $i) (i32.ctz (local.get $k))))
              (local.set $byte (i32.load8_u (local.get $i)))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $cell (i32.eq (local.get $byte) (local.get $delimiter))))))
        (br_if $stop (i32.gt_u (local.get $c) (local.get $columns)))
        (local.set $k (i32.sub (local.get $i) (local.get $blockStart)))
        (br_if $stop (i32.gt_s (local.get $k) (local.get $max)))
        (i32.store (local.get $o) (i32.sub (local.get $recordAt) (local.get $blockStart)))
        (local.set $o (i32.add (local.get $o) (i32.const 4)))
        (global.set $rows (i32.add (global.get $rows) (i32.const 1)))
        (local.set $c (i32.sub (local.get $i) (local.get $recordAt)))
        (if (i32.gt_u (local.get $c) (global.get $longest)) (then (global.set $longest (local.get $c))))
        (br_if $record (i32.lt_s (local.get $k) (local.get $min)))
        (br_if $record (i32.eqz (call $ends (local.get $recordAt) (local.get $c) (local.get $min))))
        (global.set $isBorder (i32.const 1))
        (local.set $recordAt (local.get $i))))
    (global.set $at (local.get $recordAt)))

  ;; Whether a block ends behind the row of $length bytes at $at: isBorder of blocks.ts.
  (func $ends (param $at i32) (param $length i32) (param $min i32) (result i32)
    (local $hash i32) (local $k f64) (local $step f64) (local $all f64)
    (local.set $hash (local.get $length))
    (local.set $all (f64.convert_i32_u (local.get $length)))
    (local.set $step (f64.max (f64.const 1) (f64.div (local.get $all) (f64.const 16))))
    (loop $sample
      (local.set $hash (i32.xor
        (i32.mul
          (i32.xor
            (local.get $hash)
            (i32.load8_u (i32.add (local.get $at) (i32.trunc_f64_u (local.get $k)))))
          (i32.const 0x5bd1e995))
        (i32.shr_u (local.get $hash) (i32.const 15))))
      (local.set $k (f64.add (local.get $k) (local.get $step)))
      (br_if $sample (f64.lt (local.get $k) (local.get $all))))
    (local.set $hash (i32.mul
      (i32.xor (local.get $hash) (i32.shr_u (local.get $hash) (i32.const 13)))
      (i32.const 0xc2b2ae35)))
    (f64.lt
      (f64.mul
        (f64.convert_i32_u (i32.xor (local.get $hash) (i32.shr_u (local.get $hash) (i32.const 16))))
        (f64.convert_i32_u (local.get $min)))
      (f64.mul (local.get $all) (f64.const 4294967296)))))
