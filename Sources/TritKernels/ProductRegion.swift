package import TritCore

/// Multiplies quantized rows by one layer, rows of the layer split over threads.
package struct ProductRegion: PoolRegion {
  private let linear: any PreparedLinear
  private let x: QuantizedRows
  private let y: MutableMatrixView<Float>

  /// `y` is `[tokens, rows]`; the layer's input layout has been built in `x`.
  package init(_ linear: any PreparedLinear, _ x: QuantizedRows, into y: MutableMatrixView<Float>) {
    self.linear = linear
    self.x = x
    self.y = y
  }

  package func run(_ range: Range<Int>, worker: Int) { linear.multiply(x, rows: range, into: y) }
}

/// The product by a layer that leaves out the outputs that a gate does not want.
package struct SelectiveProductRegion: PoolRegion {
  private let linear: any SelectiveLinear
  private let x: QuantizedRows
  private let gate: MatrixView<Float>
  private let y: MutableMatrixView<Float>

  /// `gate` and `y` are `[tokens, rows]`; the layer's input layout has been built in `x`.
  package init(
    _ linear: any SelectiveLinear, _ x: QuantizedRows, where gate: MatrixView<Float>,
    into y: MutableMatrixView<Float>
  ) {
    self.linear = linear
    self.x = x
    self.gate = gate
    self.y = y
  }

  package func run(_ range: Range<Int>, worker: Int) {
    linear.multiply(x, rows: range, where: gate, into: y)
  }
}

/// Multiplies hidden states by an output head, rows of the head split over threads.
package struct HeadRegion: PoolRegion {
  private let head: any PreparedHead
  private let x: MatrixView<Float>
  private let logits: MutableMatrixView<Float>

  /// `x` is `[tokens, hidden]`, `logits` `[tokens, rows]`.
  package init(
    _ head: any PreparedHead, _ x: MatrixView<Float>, into logits: MutableMatrixView<Float>
  ) {
    self.head = head
    self.x = x
    self.logits = logits
  }

  package func run(_ range: Range<Int>, worker: Int) {
    head.multiply(x, rows: range, into: logits)
  }
}
