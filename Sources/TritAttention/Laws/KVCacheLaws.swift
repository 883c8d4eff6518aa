public import TritCore

/// How far a loaded element may be from the stored one.
public enum KVCacheTolerance: Sendable, Hashable {
  /// Not at all.
  case exact
  /// By `relative` of its magnitude, and by `absolute` where that is more.
  case element(relative: Double, absolute: Double)
  /// By this share of the largest magnitude in its head's row.
  case row(Double)

  /// The bound that the lab's own caches state; for others half a step of 4 bits, `1/16` of the
  /// row.
  public static func standard(_ name: String) -> KVCacheTolerance {
    switch name {
    case "f32": .exact
    // Half an ulp of binary16; half the smallest subnormal.
    case "f16": .element(relative: 0x1p-11, absolute: 0x1p-25)
    // Half an ulp of 8 significant bits; half the smallest subnormal.
    case "bf16": .element(relative: 0x1p-8, absolute: 0x1p-134)
    // Half a step of absmax / 127, and the rounding of the step, its reciprocal and two products.
    case "int8": .row(1.0 / 254 + 0x1p-21)
    default: .row(1.0 / 16)
    }
  }

  func bound(_ value: Float, row: [Float]) -> Double {
    switch self {
    case .exact: 0
    case .element(let relative, let absolute): max(relative * Double(value.magnitude), absolute)
    case .row(let share): share * Double(row.map(\.magnitude).max() ?? 0)
    }
  }
}

/// Checks the laws of `KVCache` for caches of `kind`.
///
/// Laws: what is loaded is what was stored, within `tolerance` (default: what the lab's caches of
/// that name state); a store disturbs no other position, layer, head, key or value; storing in
/// chunks or from strided rows gives the same bits; float rows given in place are the loaded ones;
/// a cache has the shape that was asked for; an impossible shape is an error. An empty list means
/// that all hold.
public func checkKVCache(
  _ kind: any KVCacheKind, tolerance: KVCacheTolerance? = nil, seed: UInt64 = 1
) -> [LawViolation] {
  let tolerance = tolerance ?? .standard(kind.name)
  var violations: [LawViolation] = []
  for (layers, heads, d, capacity) in [(1, 1, 8, 1), (2, 3, 20, 7), (3, 2, 64, 70)] {
    let evidence = "\(kind.name), layers \(layers), heads \(heads), d \(d), capacity \(capacity)"
    do {
      let cache = try kind.make(
        layers: layers, heads: heads, headDimension: d, capacity: capacity)
      let twin = try kind.make(layers: layers, heads: heads, headDimension: d, capacity: capacity)
      if cache.capacity != capacity || cache.heads != heads || cache.headDimension != d
        || cache.bytesPerPosition <= 0
      {
        violations.append(LawViolation("a cache has the shape that was asked for", evidence))
      }
      var bench = KVCacheBench(cache: cache, twin: twin, layers: layers, seed: seed)
      violations += bench.check(tolerance).map { LawViolation($0, evidence) }
    } catch {
      violations.append(LawViolation("a legal shape can be made", "\(evidence): \(error)"))
    }
  }
  for (layers, heads, d, capacity) in [
    (0, 1, 8, 8), (1, 0, 8, 8), (1, 1, 0, 8), (1, 1, 8, 0), (1, 1, 8, -1),
    (1 << 30, 1 << 30, 1 << 30, 1 << 30), (1, 1, Int.max, 1),
  ] {
    let shape = "\(kind.name), \(layers) x \(heads) x \(capacity) x \(d)"
    do {
      _ = try kind.make(layers: layers, heads: heads, headDimension: d, capacity: capacity)
      violations.append(LawViolation("an impossible shape is an error", "\(shape): none thrown"))
    } catch is LabError {
      continue
    } catch {
      violations.append(LawViolation("an impossible shape is a LabError", "\(shape): \(error)"))
    }
  }
  return violations
}

/// Two caches of one shape, filled in different ways from the same rows.
private struct KVCacheBench {
  let cache: any KVCache
  let twin: any KVCache
  let layers: Int
  private var random: SeededRandom

  init(cache: any KVCache, twin: any KVCache, layers: Int, seed: UInt64) {
    self.cache = cache
    self.twin = twin
    self.layers = layers
    random = SeededRandom(seed: seed)
  }

  private var width: Int { cache.heads * cache.headDimension }

  /// Rows over many magnitudes, with zeros and subnormal halves among them.
  private mutating func rows(_ count: Int) -> Matrix<Float> {
    let matrix = Matrix<Float>(rows: count, columns: width)
    for index in 0..<count * width {
      let exponent = Double(random.below(28)) - 26
      let magnitude = exponent == -26 ? 0 : (random.uniform() + 0.5) * Self.power(exponent)
      matrix.storage.base[index] = Float(random.below(2) == 0 ? magnitude : -magnitude)
    }
    return matrix
  }

  private static func power(_ exponent: Double) -> Double {
    Double(sign: .plus, exponent: Int(exponent), significand: 1)
  }

  private func load(_ cache: any KVCache, _ layer: Int, _ head: Int, values: Bool) -> [Float] {
    let count = cache.capacity * cache.headDimension
    return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      guard let base = buffer.baseAddress else { return }
      if values {
        cache.loadValues(layer: layer, head: head, positions: 0..<cache.capacity, into: base)
      } else {
        cache.loadKeys(layer: layer, head: head, positions: 0..<cache.capacity, into: base)
      }
      filled = count
    }
  }

  private func snapshot(_ cache: any KVCache) -> [[UInt32]] {
    (0..<layers).flatMap { layer in
      (0..<cache.heads).flatMap { head in
        [false, true].map { load(cache, layer, head, values: $0).map(\.bitPattern) }
      }
    }
  }

  mutating func check(_ tolerance: KVCacheTolerance) -> [String] {
    var broken: [String] = []
    let capacity = cache.capacity
    let d = cache.headDimension
    for layer in 0..<layers {
      let keys = rows(capacity)
      let values = rows(capacity)
      cache.store(layer: layer, first: 0, keys: keys.view, values: values.view)
      for head in 0..<cache.heads {
        for (source, isValue) in [(keys, false), (values, true)] {
          let loaded = load(cache, layer, head, values: isValue)
          for position in 0..<capacity {
            let row = (0..<d).map { source[position, head * d + $0] }
            for index in 0..<d {
              let error = abs(Double(loaded[position * d + index]) - Double(row[index]))
              if !(error <= tolerance.bound(row[index], row: row)) {
                broken.append("what is loaded is what was stored, within the bound")
              }
            }
          }
        }
      }
      storeTwin(layer, keys, values)
    }
    if snapshot(cache) != snapshot(twin) {
      broken.append("storing in chunks from strided rows gives the same bits")
    }
    broken += checkDisturbance()
    broken += checkInPlace()
    return Array(Set(broken)).sorted()
  }

  /// The same rows one and two at a time, from a wider matrix, last first.
  private func storeTwin(_ layer: Int, _ keys: Matrix<Float>, _ values: Matrix<Float>) {
    let wide = Matrix<Float>(rows: keys.rows, columns: 2 * width + 3)
    wide.storage.mutableBuffer.update(repeating: .nan)
    for row in 0..<keys.rows {
      for column in 0..<width {
        wide[row, column] = keys[row, column]
        wide[row, width + column] = values[row, column]
      }
    }
    var end = keys.rows
    while end > 0 {
      let range = max(0, end - (end.isMultiple(of: 3) ? 1 : 2))..<end
      let rows = wide.span.rows(range)
      twin.store(
        layer: layer, first: range.lowerBound, keys: rows.columns(0..<width),
        values: rows.columns(width..<2 * width))
      end = range.lowerBound
    }
  }

  /// Stores again in the middle of one layer and expects every other bit to stay.
  private mutating func checkDisturbance() -> [String] {
    let before = snapshot(cache)
    let layer = layers - 1
    let first = cache.capacity / 2
    let keys = rows(1)
    let values = rows(1)
    cache.store(layer: layer, first: first, keys: keys.span, values: values.span)
    let after = snapshot(cache)
    let touched = first * cache.headDimension..<(first + 1) * cache.headDimension
    for (index, (old, new)) in zip(before, after).enumerated() {
      let isLayer = index / (2 * cache.heads) == layer
      for element in old.indices where old[element] != new[element] {
        if !isLayer || !touched.contains(element) {
          return ["a store disturbs no other position, layer or head"]
        }
      }
    }
    return []
  }

  private func checkInPlace() -> [String] {
    for layer in 0..<layers {
      for head in 0..<cache.heads {
        for isValue in [false, true] {
          let held =
            isValue
            ? cache.floatValues(layer: layer, head: head)
            : cache.floatKeys(layer: layer, head: head)
          guard let held else { continue }
          let loaded = load(cache, layer, head, values: isValue)
          for position in 0..<cache.capacity {
            for index in 0..<cache.headDimension
            where held.base[position * held.stride + index]
              != loaded[position * cache.headDimension + index]
            {
              return ["float rows given in place are the loaded ones"]
            }
          }
        }
      }
    }
    return []
  }
}
