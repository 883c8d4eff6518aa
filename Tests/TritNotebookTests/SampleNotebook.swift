import TritDrawing
import TritNotebook

/// A notebook with everything that pages and files show.
enum SampleNotebook {
  static let gnuplot = """
    <?xml version="1.0" encoding="utf-8"?>
    <svg viewBox="0 0 820 440" xmlns="http://www.w3.org/2000/svg" \
    xmlns:xlink="http://www.w3.org/1999/xlink">
    <rect x="0" y="0" width="820" height="440" fill="#ffffff"/>
    <defs><circle id='gpDot' r='4' stroke='currentColor'/>
    <pattern id="p"><path d="M0,0"/></pattern></defs>
    <use xlink:href='#gpDot' x="100" y="100"/><rect width="20" height="20" fill="url(#p)"/>
    <text x="200" y="200" fill="black">perplexity</text>
    </svg>
    """

  static func cell(
    _ language: CellLanguage, _ text: String, _ number: Int?, _ outputs: [CellOutput] = [],
    options: Set<CellOption> = [], state: ExecutedCell.State = .passed
  ) -> ExecutedNotebook.Piece {
    .cell(
      ExecutedCell(
        cell: NotebookCell(
          id: "c0\(number ?? 9)", language: language, text: text, line: 10, options: options),
        outputs: outputs, state: state, number: number, seconds: 0.25))
  }

  static let failure = CellFailure(
    .thrown, name: "LabError", message: "no such kernel: 'i2s'\nuse one of: i2_s, tl1 <b>",
    place: "notebooks/05.md:48:14")

  static func notebook(path: String = "notebooks/05-sample.md") -> ExecutedNotebook {
    ExecutedNotebook(
      path: path, title: "How does a trit multiply?",
      pieces: [
        .prose(
          """
          # How does a trit multiply?

          A weight is −1, 0 or 1, so *w* · x is `-x`, `0` or `x`<sup>1</sup>. See [numbers](02-numbers.md).

          ## A table

          | kernel | µs | what it does and why that takes its time in one long cell of text |
          |:--|--:|:-:|
          | `i2_s` | 12.5 | **fast** |
          | scalar | 490 | <script>alert(1)</script> |

          ### Prediction

          <details><summary>Answer</summary>

          Forty times: the loads decide.

          - one
          - two

          </details>

          ```sh
          trit bench -m builtin:stories -p 128 --kernel i2_s
          ```
          """),
        cell(
          .swift,
          """
          // A dot product of trits with eight-bit activations, as the paper writes it in equation
          // three of section two.
          import TritLab
          let trits: [Int8] = [1, 0, -1]
          var sum = 0x1F + 2.5e-3
          for (index, trit) in trits.enumerated() where trit != 0 { print("\\(index): \\(trit)") }
          """, 1,
          [
            .stream(.stdout, "0: 1\n2: -1\n"),
            .stream(.stderr, "warning: \u{1b}[31mred\u{1b}[0m\n"),
          ]),
        cell(
          .c,
          """
          #include <immintrin.h>
          /* one block */
          int32_t dot(const int8_t *a, const int8_t *b, int n) {
            int32_t sum = 0;
            for (int i = 0; i < n; i++) sum += a[i] * b[i];
            return sum; // done
          }
          """, 2),
        cell(
          .experiment, "name: race # a comment\nkernel: [i2_s, 'tl1']\nrepeat: 3\nwarm: true", 3,
          [
            .display(DisplayData(plain: "a plot", [.svg: gnuplot]), id: nil),
            .display(
              DisplayData(
                plain: "table", [.markdown: "| a | b |\n|---|--:|\n| 1 | 2 |\n\n## A table"]),
              id: nil),
          ], options: [.folded]),
        cell(
          .swift, "try race(\"i2s\")", 4, [.failure(failure)], options: [.raises],
          state: .failed(failure)),
        cell(.swift, "try race(\"i2s\")", 5, [.failure(failure)], state: .failed(failure)),
        .prose("## Figures\n\nA slider:"),
        cell(
          .swift, "slider(frames)", 6,
          [
            .display(
              DisplayData(
                plain: "slider",
                [
                  .html:
                    "<div><input type=\"range\" min=\"0\" max=\"9\" oninput=\"this.nextElementSibling.textContent=this.value\" /> <output>5</output></div>"
                ]), id: "s"),
            .display(DisplayData(plain: "0 %"), id: "progress"),
            .update(DisplayData(plain: "100 %"), id: "progress"),
            .display(DisplayData(plain: "again", [.svg: gnuplot]), id: nil),
            .result(DisplayData(plain: (0..<60).map { "line \($0)" }.joined(separator: "\n"))),
          ]),
        .prose("## Exercises\n\n1. Change it.\n\n<details>\n<summary>Solution</summary>\n"),
        cell(
          .swift, "let solved = true", 7, [.result(DisplayData(plain: "true"))],
          options: [.solution]),
        .prose("</details>\n\n2. Extend it."),
        cell(
          .swift, "print(\"CHECK PASS\")", 8, [.stream(.stdout, "CHECK PASS\n")],
          options: [.solution]),
        cell(
          .swift, "lab.model(\"2b\")", nil, options: [.large], state: .skipped("no file of 2B-4T")),
      ])
  }
}
