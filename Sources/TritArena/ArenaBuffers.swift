import Synchronization
import TritCore
import TritKernels

/// Activations and outputs of one number of tokens, between pages that must not be touched.
final class ArenaBuffers {
  /// The activations.
  let x: QuantizedRows
  /// The outputs `[tokens, rows]`.
  let y: MutableMatrixView<Float>
  private let outputs: GuardedMemory
  private let regions: Regions
  /// Copies of what a kernel must leave as it is.
  private var values: [Int8] = []
  private var scales: [Float] = []
  private var sums: [Int32] = []

  /// Bytes that fill outputs and scratch before a call, one after the other: no number, a huge one,
  /// a common one. A kernel that looks for one of them meets the others.
  private static let poisons: [UInt8] = [0xFF, 0xFB, 0x41]
  private var calls = 0
  private var filling: UInt8 = 0

  /// The memory of activations, in the order in which it was asked for.
  private final class Regions: Sendable {
    let place: GuardedMemory.Place
    let all = Mutex<[GuardedMemory]>([])
    init(_ place: GuardedMemory.Place) { self.place = place }

    func take(_ bytes: Int) -> GuardedMemory {
      let names = ["the activations", "the scales of activations", "the sums of activations"]
      let index = all.withLock { $0.count }
      let memory = GuardedMemory(
        index < names.count ? names[index] : "the scratch of the input layout", count: bytes,
        tail: 64, at: place)
      all.withLock { $0.append(memory) }
      return memory
    }
  }

  /// Room for `tokens` rows of `shape`. `isExact` puts the last output right before the page, which
  /// no vector is aligned for; else outputs begin at a multiple of 64 bytes, as an engine's do.
  init(_ shape: WeightShape, tokens: Int, place: GuardedMemory.Place = .end, isExact: Bool = false)
  {
    let regions = Regions(place)
    self.regions = regions
    x = QuantizedRows(capacity: tokens, columns: shape.columns) { bytes in
      let memory = regions.take(bytes)
      return (memory.base, memory)
    }
    outputs = GuardedMemory(
      "the outputs", count: tokens * shape.rows * MemoryLayout<Float>.stride,
      alignment: isExact ? 4 : 64, at: place)
    y = MutableMatrixView(
      base: outputs.base.bindMemory(to: Float.self, capacity: tokens * shape.rows), rows: tokens,
      columns: shape.rows, stride: shape.rows)
  }

  /// Fills the activations with numbers of `random`: int8 values, and scales that are powers of
  /// two, so that products are exact in float32 too. `reset` makes them those of a call.
  func fill(_ random: inout SeededRandom) {
    let tokens = x.capacity
    x.begin(rows: tokens, form: .int8)
    for token in 0..<tokens {
      let row = x.row(token)
      var sum: Int32 = 0
      var column = 0
      while column < x.columns {
        var word = random.next()
        for _ in 0..<min(8, x.columns - column) {
          let value = max(Int8(truncatingIfNeeded: word), -127)
          row[column] = value
          sum += Int32(value)
          word >>= 8
          column += 1
        }
      }
      x.sums[token] = sum
      x.scales[token] = Float(sign: .plus, exponent: -3 - random.below(8), significand: 1)
    }
    values = Array(x.values.buffer)
    scales = Array(x.scales.buffer)
    sums = Array(x.sums.buffer)
  }

  /// Begins a call with the activations in `form`: what was derived from them is void, and outputs
  /// and scratch hold what no kernel may rely on.
  func reset(_ form: ActivationForm, outputs byte: UInt8? = nil, scratch: UInt8? = nil) {
    calls += 1
    let poison = Self.poisons[calls % Self.poisons.count]
    filling = byte ?? poison
    x.begin(rows: x.capacity, form: form)
    var floats: UnsafeMutableRawPointer?
    if form == .float32 {
      floats = UnsafeMutableRawPointer(x.floats.base)
      for token in 0..<x.rows {
        let row = x.floats.base + token * x.columns
        for column in 0..<x.columns { row[column] = Float(x.row(token)[column]) * x.scales[token] }
      }
    }
    outputs.fill(filling)
    for region in regions.all.withLock({ $0 }).dropFirst(3) where region.base != floats {
      region.fill(scratch ?? poison)
    }
  }

  /// Whether output `[token, row]` is as it was before the call.
  func isUntouched(_ token: Int, _ row: Int) -> Bool {
    y.base[token * y.stride + row].bitPattern == UInt32(filling) &* 0x0101_0101
  }

  /// What a kernel did to memory that is not its own; nil where nothing.
  func damage() -> String? {
    if let words = outputs.damage() { return words }
    for region in regions.all.withLock({ $0 }) {
      if let words = region.damage() { return words }
    }
    let isKept =
      x.values.buffer.elementsEqual(values) && x.scales.buffer.elementsEqual(scales)
      && x.sums.buffer.elementsEqual(sums)
    return isKept ? nil : "changed the activations that it was given"
  }

  /// The outputs, copied.
  var copy: [Float] { Array(UnsafeBufferPointer(start: y.base, count: y.rows * y.stride)) }
}
