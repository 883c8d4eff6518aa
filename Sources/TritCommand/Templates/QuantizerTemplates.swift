import TritLab

/// Quantizers of weights and of activations.
extension StageTemplate {
  static let quantizer = StageTemplate(
    key: .quantizer, language: .swift,
    source: { name in
      """
      // \(name.text): a weight quantizer for TritLab, from the formula of one group of weights.
      //
      //     trit list quantizer --plugin \(name.file)
      //     trit run \(name.experiment) --plugin \(name.file)
      import TritLab

      /// Weights beyond threshold · mean|W| become ±1, others 0; the scale is the mean magnitude of
      /// those that are kept.
      struct \(name.type): GroupwiseTernaryQuantizer {
        let name = "\(name.text)"
        let granularity = ScaleGranularity.tensor
        let threshold: Double

        /// The group is finite and not empty: the matrix, or what of it shares one scale.
        func fit(_ group: MatrixView<Float>) -> TernaryFit {
          var total = 0.0
          for row in 0..<group.rows {
            for weight in group.row(row) { total += Double(weight.magnitude) }
          }
          let cut = Float(threshold * total / Double(group.rows * group.columns))
          var (sum, count) = (0.0, 0.0)
          for row in 0..<group.rows {
            for weight in group.row(row) where weight.magnitude > cut {
              sum += Double(weight.magnitude)
              count += 1
            }
          }
          return count > 0 ? TernaryFit(.threshold(cut), scale: Float(sum / count)) : .zero
        }
      }

      func register(_ lab: inout Lab) throws {
        let threshold = ParameterDescriptor(
          "threshold", "in units of mean|W|", .real(0...0.9), default: .real(0.6))
        let descriptor = StageDescriptor(
          "\(name.text)", summary: "ternary by a threshold", source: "\(name.file)", parameters: [threshold],
          accepts: "finite float32 weights", gives: "ternary weights",
          exactness: .lossy("see the report"))
        try lab.add(.quantizer, descriptor) { \(name.type)(threshold: $0.real("threshold")) }
      }

      """
    },
    experiment: { name in
      """
      sweep:
        quantizer: [absmean, twn, "\(name.text)", "\(name.text):threshold=0.8"]
      measure:
        perplexity: {data: builtin:storyteller/test:20, context: 128}
        weights: {}
      plots: [quality-vs-bits]

      """
    }, question: { "\($0.text) beside quantizers of the lab: how much does it lose for its bits?" })

  static let activations = StageTemplate(
    key: .activations, language: .swift,
    source: { name in
      """
      // \(name.text): an activation quantizer for TritLab.
      //
      //     trit list activations --plugin \(name.file)
      //     trit run \(name.experiment) --plugin \(name.file)
      import TritLab

      /// int8 with one scale a token, clipped at `width` root mean squares of the row.
      struct \(name.type): ActivationQuantizer {
        let name = "\(name.text)"
        let form = ActivationForm.int8
        let width: Float

        func quantize(_ x: MatrixView<Float>, rows range: Range<Int>, into output: QuantizedRows) {
          for row in range {
            let values = x.base + row * x.stride
            // NaN and infinity reach the scale, so that they show in every product.
            let largest = VectorMath.largestMagnitude(values, count: x.columns)
            let squares = VectorMath.sumOfSquares(values, count: x.columns)
            let size = Float((squares / Double(max(x.columns, 1))).squareRoot())
            let clip = max(min(largest, width * size), 1e-5)
            let codes = output.row(row)
            output.sums.base[row] = VectorMath.quantize(
              values, multiplier: 127 / clip, limit: 127, into: codes, count: x.columns)
            (codes + x.columns).update(repeating: 0, count: output.stride - x.columns)
            output.scales.base[row] = clip / 127
          }
        }
      }

      func register(_ lab: inout Lab) throws {
        let width = ParameterDescriptor(
          "width", "root mean squares that are not clipped", .real(1...100), default: .real(8))
        let descriptor = StageDescriptor(
          "\(name.text)", summary: "int8, outliers clipped", source: "\(name.file)", parameters: [width],
          accepts: "float32 activations", gives: "int8 activations", exactness: .lossy("see the report")
        )
        try lab.add(.activations, descriptor) { \(name.type)(width: Float($0.real("width"))) }
      }

      """
    },
    experiment: { name in
      """
      sweep:
        activations: [int8, int4, "\(name.text)", "\(name.text):width=4"]
      measure:
        perplexity: {data: builtin:storyteller/test:20, context: 128}

      """
    }, question: { "\($0.text) beside activation quantizers of the lab: what does it lose?" })
}
