import TritLab

/// What an experiment measures and draws.
extension StageTemplate {
  static let measure = StageTemplate(
    key: .measure, language: .swift,
    source: { name in
      """
      // \(name.text): a measure for TritLab, a section of 'measure' in experiment files.
      //
      //     trit list measure --plugin \(name.file)
      //     trit run \(name.experiment) --plugin \(name.file)
      import Foundation
      import TritLab

      /// How unsure the model is of the token after a prompt.
      struct \(name.type): Measure {
        static let key = "\(name.text)"
        static let summary = "Entropy of the next token after a prompt, in bits."
        static let source = "H = −Σ p log₂ p"
        static let fields = [
          MeasureField("prompt", "The prompt.", .text, standard: .text("Once upon a time"))
        ]
        static let columns = [
          ReportColumn(
            "Entropy, bits", key: "\(name.text).entropy", group: .quality,
            meaning: "How unsure the model is of the next token: 0 is certain, 10 is one of 1,024.")
        ]
        let prompt: String

        init(_ settings: MeasureSettings) { prompt = settings.text("prompt") }

        /// Called once for each variant. What it gives is in the records as \(name.text).entropy.
        func run(_ run: MeasureRun) throws -> Measured {
          let engine = run.engine
          engine.reset()
          let tokens = try engine.tokenizer.encode(prompt, addSpecial: true, parseSpecial: false)
          var p = Array(try engine.prefill(tokens))
          VectorMath.softmax(&p, count: p.count)
          let entropy = p.reduce(0.0) { $1 > 0 ? $0 - Double($1) * log2(Double($1)) : $0 }
          run.progress(1)
          return Measured(metrics: ["entropy": entropy])
        }
      }

      func register(_ lab: inout Lab) throws { try lab.add(measure: \(name.type).self) }

      """
    },
    experiment: { name in
      """
      sweep:
        quantizer: [model, twn, sign]
      measure:
        "\(name.text)": {prompt: Once upon a time}

      """
    }, question: { "\($0.text) of a model whose weights are rounded in different ways." })

  static let figure = StageTemplate(
    key: .figure, language: .swift,
    source: { name in
      """
      // \(name.text): a figure for TritLab, a name under 'plots' in experiment files.
      //
      //     trit list figure --plugin \(name.file)
      //     trit run \(name.experiment) --plugin \(name.file)
      import TritLab

      /// Perplexity of each variant as a dot.
      enum \(name.type): Figure {
        static let key = "\(name.text)"
        static let summary = "perplexity of each variant"
        /// Sections of 'measure' that it draws from.
        static let needs = ["perplexity"]
        /// Commands of gnuplot. The lab's style.gp comes first: colours, fonts, and by_variant,
        /// which gives each variant a row with its name. 'data' is the file of the table below.
        static let template: String? = \"""
          # data: row, perplexity, label
          eval by_variant
          set xlabel 'Perplexity (lower is better)'
          set offsets graph 0.1, graph 0.1, 0, 0
          plot data using 2:1:ytic(3) with points lt 1

          \"""

        static func data(_ report: Report) -> PlotData? {
          let records = report.rows.filter { PlotData.finite($0.metrics["perplexity.value"]) != nil }
          guard !records.isEmpty else { return nil }
          let rows = records.enumerated().map { row, record in
            ["\\(row)", "\\(record.metrics["perplexity.value"] ?? 0)", PlotData.cell(record.label)]
          }
          return PlotData(
            table: PlotData.table(["row", "perplexity", "label"], rows), rows: rows.count,
            height: PlotData.rowHeight(rows.count))
        }
      }

      func register(_ lab: inout Lab) throws { try lab.add(figure: \(name.type).self) }

      """
    },
    experiment: { name in
      """
      sweep:
        quantizer: [model, twn, sign]
      measure:
        perplexity: {data: builtin:storyteller/test:20, context: 128}
      plots: ["\(name.text)"]

      """
    }, question: { "\($0.text) of a model whose weights are rounded in different ways." })
}
