public import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Checks the laws of `Attention` over awkward and real shapes, with caches in float32 and half.
///
/// `window` is the number of keys that a query sees, where that is limited; `cap` the soft cap of its
/// scores, where it has one. Laws: the result is the
/// double-precision formula within the float32 bound; the same bits however the prompt is cut into
/// chunks and the heads are split; later keys change nothing, whatever they hold; nothing is
/// written outside the head range or the scratch; a probe gets the formula's weights and changes
/// nothing; a `SplitAttention` gives the same bits from its spans. An empty list means that all
/// hold.
public func checkAttention(
  _ attention: any Attention, window: Int? = nil, cap: Float? = nil, seed: UInt64 = 1
) -> [LawViolation] {
  var violations: [LawViolation] = []
  for shape in AttentionCase.all {
    for kind in Registry<any KVCacheKind>.standard.available().map(\.product) {
      do {
        let bench = try AttentionBench(
          shape, kind: kind, window: window, cap: cap.map { Double($0) }, seed: seed)
        violations += bench.check(attention)
      } catch {
        violations.append(LawViolation("a cache can be made", "\(shape) \(kind.name): \(error)"))
      }
    }
  }
  return violations
}

/// One shape of attention: heads, heads of the cache, head size, tokens before and in the call.
struct AttentionCase: Sendable, CustomStringConvertible {
  let heads: Int
  let keyHeads: Int
  let d: Int
  let past: Int
  let tokens: Int

  /// One position; tails that fill no vector; more than one tile, block and span; GQA of
  /// 1, 2, 3, 4, 5, 40.
  static let all = [
    AttentionCase(heads: 1, keyHeads: 1, d: 8, past: 0, tokens: 1),
    AttentionCase(heads: 4, keyHeads: 2, d: 20, past: 0, tokens: 5),
    AttentionCase(heads: 8, keyHeads: 2, d: 32, past: 61, tokens: 9),
    AttentionCase(heads: 10, keyHeads: 2, d: 128, past: 130, tokens: 1),
    AttentionCase(heads: 40, keyHeads: 1, d: 16, past: 63, tokens: 2),
    AttentionCase(heads: 3, keyHeads: 3, d: 64, past: 0, tokens: 200),
    AttentionCase(heads: 6, keyHeads: 2, d: 40, past: 530, tokens: 4),
  ]

  var description: String {
    "heads \(heads)/\(keyHeads), d \(d), past \(past), tokens \(tokens)"
  }
}

/// The data of one case and what the formula says about it.
private struct AttentionBench {
  let shape: AttentionCase
  let cache: any KVCache
  let queries: Matrix<Float>
  let context: AttentionContext
  let window: Int?
  let cap: Double?
  private static let layer = 1
  private static let spare = 3

  init(_ shape: AttentionCase, kind: any KVCacheKind, window: Int?, cap: Double?, seed: UInt64)
    throws
  {
    self.shape = shape
    self.cap = cap
    self.window = window
    let total = shape.past + shape.tokens
    cache = try kind.make(
      layers: 2, heads: shape.keyHeads, headDimension: shape.d, capacity: total + Self.spare)
    var random = SeededRandom(seed: seed)
    func filled(_ rows: Int, _ columns: Int, _ spread: Double) -> Matrix<Float> {
      let matrix = Matrix<Float>(rows: rows, columns: columns)
      for index in 0..<rows * columns {
        matrix.storage.base[index] = Float(spread * (random.uniform() * 2 - 1))
      }
      return matrix
    }
    let width = shape.keyHeads * shape.d
    // A spread of 3 makes the softmax of long heads peaked, so that the running maximum moves.
    let keys = filled(total, width, 3)
    let values = filled(total, width, 1)
    cache.store(layer: Self.layer, first: 0, keys: keys.span, values: values.span)
    let poison = Matrix<Float>(rows: Self.spare, columns: width)
    poison.storage.mutableBuffer.update(repeating: .nan)
    cache.store(layer: Self.layer, first: total, keys: poison.span, values: poison.span)
    queries = filled(shape.tokens, shape.heads * shape.d, 3)
    context = AttentionContext(
      layer: Self.layer, firstPosition: shape.past, heads: shape.heads, headDimension: shape.d)
  }

  func check(_ attention: any Attention) -> [LawViolation] {
    var violations: [LawViolation] = []
    let evidence = "\(attention.name), \(shape), cache \(cache.name)"
    let tokens = 0..<shape.tokens
    let heads = 0..<shape.heads
    let whole = run(attention, [tokens], [heads])
    violations += whole.faults.map { LawViolation($0, evidence) }
    violations += compareWithFormula(attention, whole.output, evidence)

    let ones = tokens.map { $0..<$0 + 1 }
    let threes = stride(from: 0, to: shape.tokens, by: 3).map { $0..<min($0 + 3, shape.tokens) }
    for (cut, name) in [(ones, "one token at a time"), (threes, "three tokens at a time")] {
      let chunked = run(attention, cut, [heads])
      if !sameBits(chunked.output, whole.output) {
        violations.append(
          LawViolation("a result does not depend on chunking", "\(evidence), \(name)"))
      }
    }
    let group = shape.heads / shape.keyHeads
    let split = (0..<shape.keyHeads).map { $0 * group..<($0 + 1) * group }
    let parts = run(attention, [tokens], split)
    violations += parts.faults.map { LawViolation($0, "\(evidence), heads split") }
    if !sameBits(parts.output, whole.output) {
      violations.append(LawViolation("a result does not depend on the split of heads", evidence))
    }
    if let split = attention as? any SplitAttention, !sameBits(folded(split), whole.output) {
      violations.append(
        LawViolation("a result does not depend on the split over positions", evidence))
    }
    return violations
  }

  /// Every query from its spans, the last one computed first.
  private func folded(_ attention: any SplitAttention) -> Matrix<Float> {
    let group = shape.heads / shape.keyHeads
    let output = Matrix<Float>(rows: shape.tokens, columns: shape.heads * shape.d)
    let stride = attention.partialCount(group: group, headDimension: shape.d)
    for token in 0..<shape.tokens {
      var call = context
      call.firstPosition += token
      let spans = attention.spans(position: call.firstPosition)
      let scratch = AlignedBuffer<Float>(
        count: attention.scratchCount(context: call, capacity: cache.capacity, tokens: 1))
      let partials = AlignedBuffer<Float>(count: stride * spans.count)
      partials.mutableBuffer.update(repeating: .nan)
      for keyHead in 0..<shape.keyHeads {
        for span in spans.reversed() {
          attention.attend(
            queries.view.rows(token..<token + 1), context: call, cache: cache, keyHead: keyHead,
            span: span, scratch: scratch.base,
            into: partials.base + (span - spans.lowerBound) * stride)
        }
        attention.fold(
          partials.base, count: spans.count, group: group, headDimension: shape.d,
          into: output.storage.base + (token * shape.heads + keyHead * group) * shape.d)
      }
      withExtendedLifetime((scratch, partials)) {}
    }
    return output
  }

  /// Runs `attention` over chunks of tokens and ranges of heads; the scratch begins as NaN with a
  /// guard behind it, and outputs as a mark that must stay where nothing was asked for.
  private func run(
    _ attention: any Attention, _ chunks: [Range<Int>], _ ranges: [Range<Int>],
    probe: AttentionProbe? = nil
  ) -> (output: Matrix<Float>, faults: [String]) {
    let width = shape.heads * shape.d
    let output = Matrix<Float>(rows: shape.tokens, columns: width)
    var faults: [String] = []
    let mark: Float = 12345
    for chunk in chunks {
      for range in ranges {
        var part = context
        part.firstPosition += chunk.lowerBound
        let count = attention.scratchCount(
          context: part, capacity: cache.capacity, tokens: chunk.count)
        let scratch = AlignedBuffer<Float>(count: count + 16)
        scratch.mutableBuffer.update(repeating: .nan)
        for index in count..<count + 16 { scratch[index] = mark }
        let target = Matrix<Float>(rows: chunk.count, columns: width)
        target.storage.mutableBuffer.update(repeating: mark)
        attention.attend(
          queries.view.rows(chunk), context: part, cache: cache, heads: range,
          scratch: scratch.base, into: target.mutableView, probe: probe)
        if (count..<count + 16).contains(where: { scratch[$0] != mark }) {
          faults.append("nothing is written behind the scratch that was asked for")
        }
        for token in chunk {
          for column in 0..<width {
            let value = target[token - chunk.lowerBound, column]
            if range.contains(column / shape.d) {
              output[token, column] = value
            } else if value != mark {
              faults.append("heads outside the range are not written")
            }
          }
        }
      }
    }
    return (output, Array(Set(faults)).sorted())
  }

  private func sameBits(_ a: Matrix<Float>, _ b: Matrix<Float>) -> Bool {
    zip(a.storage.buffer, b.storage.buffer).allSatisfy { $0.bitPattern == $1.bitPattern }
  }

  /// Formula and probe together: the weights of every query and the outputs made from them.
  private func compareWithFormula(
    _ attention: any Attention, _ output: Matrix<Float>, _ evidence: String
  ) -> [LawViolation] {
    var seen: [[Int]: (first: Int, weights: [Float])] = [:]
    var repeats = 0
    let probed = run(attention, [0..<shape.tokens], [0..<shape.heads]) {
      layer, head, position, first, weights in
      if seen.updateValue((first, Array(weights)), forKey: [layer, head, position]) != nil {
        repeats += 1
      }
    }
    var violations: [LawViolation] = []
    if !sameBits(probed.output, output) || repeats > 0 || seen.count != shape.tokens * shape.heads {
      violations.append(
        LawViolation(
          "a probe hears of every head and query once and changes nothing",
          "\(evidence): \(seen.count) reports, \(repeats) repeated"))
    }
    let total = shape.past + shape.tokens
    let group = shape.heads / shape.keyHeads
    var keys = [Float](repeating: 0, count: total * shape.d)
    var values = keys
    var worst = (error: 0.0, bound: 1.0, place: "")
    var worstWeight = (error: 0.0, bound: 1.0, place: "")
    for head in 0..<shape.heads {
      keys.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        cache.loadKeys(
          layer: Self.layer, head: head / group, positions: 0..<total, into: base)
      }
      values.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        cache.loadValues(
          layer: Self.layer, head: head / group, positions: 0..<total, into: base)
      }
      for token in 0..<shape.tokens {
        let exact = formula(token: token, head: head, keys: keys, values: values)
        for index in 0..<shape.d {
          let error = abs(Double(output[token, head * shape.d + index]) - exact.output[index])
          let bound = exact.relative * exact.magnitude[index]
          if !(error <= bound), !(error / bound <= worst.error / worst.bound) {
            worst = (error, bound, "token \(token), head \(head), element \(index)")
          }
        }
        guard let report = seen[[Self.layer, head, shape.past + token]] else { continue }
        guard report.first == exact.first, report.weights.count == exact.weights.count else {
          violations.append(
            LawViolation(
              "a probe gets the visible keys", "\(evidence), token \(token), head \(head)"))
          continue
        }
        for (got, want) in zip(report.weights, exact.weights) {
          let error = abs(Double(got) - want)
          // Weights near the end of float32's normal range may vanish (e^-87 is 1.4 * 2^-126).
          let bound = exact.relative * want + 0x1p-125
          if !(error <= bound), !(error / bound <= worstWeight.error / worstWeight.bound) {
            worstWeight = (error, bound, "token \(token), head \(head)")
          }
        }
      }
    }
    for (law, found) in [
      ("equals the double-precision formula", worst), ("a probe gets the weights", worstWeight),
    ] where !found.place.isEmpty {
      violations.append(
        LawViolation(
          law, "\(evidence), \(found.place): error \(found.error), bound \(found.bound)"))
    }
    return violations
  }

  /// `softmax(q Kᵀ · scale) V` of one query in double precision, and the first-order float32 bound.
  ///
  /// With u = 2^−24, n keys and head size d: a score is off by (d + 2) u S, S = scale · Σ|q k|, and
  /// by u R from the subtraction of the maximum, R the range of the scores; `exp` turns that into a
  /// relative error, twice since it divides by a sum of such terms; `exp` itself, the running decay
  /// of one tile in at most n, the sum over n and the weighted sum over n add at most (4 n + 32) u.
  private func formula(
    token: Int, head: Int, keys: [Float], values: [Float]
  ) -> (first: Int, weights: [Double], output: [Double], magnitude: [Double], relative: Double) {
    let position = shape.past + token
    let first = window.map { max(0, position - $0 + 1) } ?? 0
    let scale = Double(context.scale)
    var scores: [Double] = []
    var largest = 0.0
    for key in first...position {
      var score = 0.0
      var magnitude = 0.0
      for index in 0..<shape.d {
        let product =
          Double(queries[token, head * shape.d + index]) * Double(keys[key * shape.d + index])
        score += product
        magnitude += abs(product)
      }
      let scaled = score * scale
      scores.append(cap.map { $0 * tanh(scaled / $0) } ?? scaled)
      largest = max(largest, magnitude * scale)
    }
    let greatest = scores.max() ?? 0
    let range = greatest - (scores.min() ?? 0)
    let powers = scores.map { exp($0 - greatest) }
    let sum = powers.reduce(0, +)
    let weights = powers.map { $0 / sum }
    var output = [Double](repeating: 0, count: shape.d)
    var magnitude = output
    for (offset, weight) in weights.enumerated() {
      for index in 0..<shape.d {
        let value = Double(values[(first + offset) * shape.d + index])
        output[index] += weight * value
        magnitude[index] += weight * abs(value)
      }
    }
    let relative =
      0x1p-24
      * (2 * Double(shape.d + 2) * largest + 2 * range + 4 * Double(scores.count) + 32
        + 8 * (cap ?? 0))
    return (first, weights, output, magnitude, relative)
  }
}
