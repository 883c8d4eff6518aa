import TritCore
import TritKernels

extension ArenaContest {
  /// The shapes of `candidates` that the contestant takes, with weights and its layer.
  private func layers(_ candidates: [WeightShape]) -> [(ArenaWeights, any PreparedLinear)] {
    candidates.compactMap { shape in
      let weights = ArenaWeights(shape, &random)
      guard let layer = try? contestant.prepare(weights) else { return nil }
      return (weights, layer)
    }
  }

  // MARK: Bounds

  /// Multiplies with every buffer against a page that must not be touched, behind it and in front.
  func bounds() -> String? {
    for (weights, layer) in layers(Self.commonShapes) {
      let shape = WeightShape(weights.rows, weights.columns)
      chosen = layer.kernel
      for place in GuardedMemory.Place.allCases {
        for tokens in [1, 3, 4, 9] {
          phase(
            "bounds: \(shape), \(tokens) tokens, the page \(place == .end ? "behind" : "in front")")
          let buffers = ArenaBuffers(shape, tokens: tokens, place: place, isExact: true)
          buffers.fill(&random)
          buffers.reset(contestant.form)
          runner.multiply(layer, buffers)
          if let damage = buffers.damage() { return "\(damage) (\(shape), \(tokens) tokens)" }
          if let words = halves(layer, buffers, shape) { return words }
        }
      }
    }
    return nil
  }

  /// The last part of the rows alone: no other output may be written.
  private func halves(
    _ layer: any PreparedLinear, _ buffers: ArenaBuffers, _ shape: WeightShape
  ) -> String? {
    let unit = max(layer.rowAlignment, 1)
    let first = (shape.rows / 2 + unit - 1) / unit * unit
    guard first > 0, first < shape.rows else { return nil }
    buffers.reset(contestant.form)
    if let layout = layer.inputLayout { _ = buffers.x.built(layout) }
    layer.multiply(buffers.x, rows: first..<shape.rows, into: buffers.y)
    for token in 0..<buffers.x.rows {
      for row in 0..<first where !buffers.isUntouched(token, row) {
        return "asked for rows \(first)..<\(shape.rows) it wrote row \(row) (\(shape))"
      }
    }
    return buffers.damage().map { "\($0) (\(shape))" }
  }

  // MARK: Laws

  /// The laws of kernels, shape by shape; those of the first shape that breaks one are enough to
  /// tell.
  func laws() -> String? {
    if layers(Self.commonShapes).contains(where: { $0.1 is any LossyLinear }) {
      return "it approximates, as it says itself; the arena races exact kernels"
    }
    var taken = 0
    for shape in WeightShape.awkward {
      phase("laws: \(shape)")
      let broken = checkLinearKernel(contestant.kernel, shapes: [shape])
      let real = broken.filter { $0.law != Self.refusalOfAll }
      if let first = real.first {
        let more = real.count > 1 ? " (and \(real.count - 1) more)" : ""
        return first.description + more
      }
      taken += broken.isEmpty ? 1 : 0
    }
    return taken == 0
      ? Self.refusalOfAll + ": refused all \(WeightShape.awkward.count) shapes" : nil
  }

  /// One shape alone may be refused: that is no broken law.
  private static let refusalOfAll = "a kernel takes some weights"

  // MARK: Freshness

  /// Calls whose inputs change in every way: other values at the same place, the same shape at
  /// another place, other tokens in between, other weights of the same shape.
  func freshness() -> String? {
    guard
      let shape = Self.commonShapes.first(where: { shape in
        (try? contestant.prepare(ArenaWeights(shape, &random))) != nil
      })
    else { return nil }
    let (a, b) = (ArenaBuffers(shape, tokens: 3), ArenaBuffers(shape, tokens: 5))
    let (c, d) = (ArenaBuffers(shape, tokens: 3), ArenaBuffers(shape, tokens: 1))
    let weights = ArenaWeights(shape, &random)
    guard let layer = try? contestant.prepare(weights) else { return nil }
    for buffers in [a, b, c, a, a, d, b, d] {
      if let words = call(layer, weights, buffers) { return words }
    }
    // Another layer of the same shape beside the first, then in its place.
    let second = ArenaWeights(shape, &random)
    guard let other = try? contestant.prepare(second) else { return "refuses a shape it took" }
    for buffers in [a, c, b] {
      if let words = call(other, second, buffers) { return words }
    }
    for buffers in [a, b] {
      if let words = call(layer, weights, buffers) { return words }
    }
    return nil
  }

  /// One call with fresh activations, compared with the exact product.
  func call(
    _ layer: any PreparedLinear, _ weights: ArenaWeights, _ buffers: ArenaBuffers
  ) -> String? {
    buffers.fill(&random)
    buffers.reset(contestant.form)
    runner.multiply(layer, buffers)
    if let damage = buffers.damage() { return damage }
    let digest = weights.digest(buffers.x, &random)
    guard let mismatch = weights.mismatch(buffers, digest) else { return nil }
    return diagnosis(layer, weights, buffers, mismatch)
  }

  // MARK: Shapes

  /// Random shapes and numbers of tokens. A kernel may refuse a shape, but must take it when it is
  /// rounded up to what packings ask for: tiles of all that are known divide 768 rows and 3,072
  /// columns.
  func shapes() -> String? {
    for index in 0..<8 {
      let drawn = WeightShape(1 + random.below(400), 1 + random.below(2000))
      guard let (weights, layer) = rounded(drawn) else {
        return "refuses \(drawn), and every rounding of it up to multiples of 768 rows and 3072 "
          + "columns: it is made for a few shapes alone"
      }
      let shape = WeightShape(weights.rows, weights.columns)
      for tokens in [1, 2 + random.below(7), 1 + index] {
        let buffers = ArenaBuffers(shape, tokens: tokens)
        if let words = call(layer, weights, buffers) {
          return "wrong for a random shape, \(shape), \(tokens) tokens: \(words)"
        }
      }
    }
    return nil
  }

  /// The least rounding of `shape` that the contestant takes; nil where it takes none.
  private func rounded(_ shape: WeightShape) -> (ArenaWeights, any PreparedLinear)? {
    for (rows, columns) in [(1, 1), (1, 32), (32, 128), (32, 256), (192, 768), (768, 3072)] {
      let next = WeightShape(
        (shape.rows + rows - 1) / rows * rows,
        (shape.columns + columns - 1) / columns * columns)
      phase("shapes: \(next)")
      let weights = ArenaWeights(next, &random)
      if let layer = try? contestant.prepare(weights) { return (weights, layer) }
    }
    return nil
  }

  // MARK: Bytes

  /// The bytes that a layer says it reads, against those that random trits need and those that it
  /// has.
  func bytes() -> String? {
    let large = WeightShape(640, 2560)
    for (weights, layer) in layers([large] + Self.commonShapes) {
      let product = ArenaCase(rows: weights.rows, columns: weights.columns, tokens: 1)
      let claimed = layer.weightBytes
      if Double(claimed) < product.leastBytes * 0.999 {
        return "says that it reads \(claimed) bytes for \(product.shape); random trits need "
          + "\(Int(product.leastBytes.rounded(.up))) (log₂ 3 bits each)"
      }
      let owned = Self.owned(by: layer).reduce(0) { $0 + $1.rawBuffer.count }
      if owned > 0, Double(claimed) > 1.05 * Double(owned) + 4096 {
        return "says that it reads \(claimed) bytes for \(product.shape); its layer owns \(owned)"
      }
      if claimed > 5 * product.rows * product.columns + 65_536 {
        return "says that it reads \(claimed) bytes for \(product.shape): more than float32 weights"
      }
    }
    return nil
  }

  /// The runs of bytes that `layer` owns, wherever among its stored properties: what it states may
  /// be less.
  private static func owned(by layer: any PreparedLinear) -> [any RawMemory] {
    var found: [any RawMemory] = []
    func collect(_ value: Any, depth: Int) {
      if let memory = value as? any RawMemory {
        if !found.contains(where: { $0 === memory }) { found.append(memory) }
        return
      }
      guard depth > 0 else { return }
      let mirror = Mirror(reflecting: value)
      // Long lists are of numbers, not of buffers.
      if mirror.displayStyle == .collection, mirror.children.count > 64 { return }
      for child in mirror.children { collect(child.value, depth: depth - 1) }
    }
    collect(layer, depth: 4)
    return found
  }

  // MARK: Fallbacks

  /// Whether another kernel or a library of products computes in place of a kernel from outside;
  /// nil where none was found. A copy of foreign code within the kernel's own file cannot be told
  /// from its own.
  func fallback() -> String? {
    guard request.file != nil || request.origin != nil else { return nil }
    let libraries = witness.libraries(except: request.file)
    if let first = libraries.first { return "loads a library that multiplies matrices: \(first)" }
    for (_, layer) in layers([Self.commonShapes[0]]) {
      if let name = Self.other(in: layer, than: contestant.kernel.name, depth: 4) {
        return "its layer is one of another kernel, '\(name)'"
      }
    }
    return nil
  }

  /// The name of another kernel whose layer `value` is or holds.
  private static func other(in value: Any, than name: String, depth: Int) -> String? {
    if let layer = value as? any PreparedLinear, layer.kernel != name { return layer.kernel }
    guard depth > 0 else { return nil }
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .collection, mirror.children.count > 64 { return nil }
    for child in mirror.children {
      if let found = other(in: child.value, than: name, depth: depth - 1) { return found }
    }
    return nil
  }
}
