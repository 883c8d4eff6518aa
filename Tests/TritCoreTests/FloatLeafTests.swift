import CTritKernels
import Testing
import TritCore

/// The leaves of every instruction set that this CPU has against the plain C ones.
@Suite("Float leaves") struct FloatLeafTests {
  static let sets: [(name: String, ops: tk_float_ops)] = {
    var sets = [("scalar", tk_float_scalar)]
    #if arch(x86_64)
      if CPUFeatures.here.contains(.avx2) { sets.append(("avx2", tk_float_avx2)) }
      if CPUFeatures.here.contains(.avx512) { sets.append(("avx512", tk_float_avx512)) }
    #endif
    // On ARM the plain leaves are NEON; with a leaf runner they are the other machine's.
    sets.append(("in use", Leaves.float))
    return sets
  }()

  private static func numbers(_ count: Int, _ seed: UInt64) -> [Float] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in Float(random.uniform() * 8 - 4) }
  }

  @Test("all sets agree with plain C", arguments: [1, 7, 16, 33, 130, 515])
  func agreement(count: Int) {
    let plain = Self.sets[0].ops
    let a = Self.numbers(count, 1)
    let b = Self.numbers(count, 2)
    let bound = Float(count) * 16 * 2e-7
    for (name, ops) in Self.sets.dropFirst() {
      #expect(ops.absmax(a, count) == plain.absmax(a, count), "\(name)")
      #expect(ops.maximum(a, count) == plain.maximum(a, count), "\(name)")
      #expect(abs(ops.dot(a, b, count) - plain.dot(a, b, count)) <= bound, "\(name)")
      let squares = plain.sum_of_squares(a, count)
      #expect(abs(ops.sum_of_squares(a, count) - squares) <= squares * 1e-12, "\(name)")
      var codes = [Int8](repeating: 0, count: count)
      var plainCodes = codes
      let sum = ops.quantize_int8(a, 31.75, 127, &codes, count)
      #expect(sum == plain.quantize_int8(a, 31.75, 127, &plainCodes, count), "\(name)")
      #expect(codes == plainCodes, "\(name)")
      var halves = [UInt16](repeating: 0, count: count)
      var plainHalves = halves
      ops.f32_to_f16(a, &halves, count)
      plain.f32_to_f16(a, &plainHalves, count)
      #expect(halves == plainHalves, "\(name)")
      ops.f32_to_bf16(a, &halves, count)
      plain.f32_to_bf16(a, &plainHalves, count)
      #expect(halves == plainHalves, "\(name)")
      var y = a
      var plainY = a
      ops.silu_multiply(a, b, &y, count)
      plain.silu_multiply(a, b, &plainY, count)
      #expect(zip(y, plainY).allSatisfy { abs($0 - $1) <= abs($1) * 1e-6 }, "\(name)")
      let total = ops.exp_shifted(a, 1, &y, count)
      let plainTotal = plain.exp_shifted(a, 1, &plainY, count)
      #expect(abs(total - plainTotal) <= plainTotal * 1e-6, "\(name)")
      #expect(zip(y, plainY).allSatisfy { abs($0 - $1) <= abs($1) * 1e-6 }, "\(name)")
    }
  }

  @Test("every binary16 value widens alike")
  func halves() {
    let all = (0...UInt16.max).map { $0 }
    var plain = [Float](repeating: 0, count: all.count)
    Self.sets[0].ops.f16_to_f32(all, &plain, all.count)
    for (name, ops) in Self.sets.dropFirst() {
      var wide = plain
      ops.f16_to_f32(all, &wide, all.count)
      #expect(zip(wide, plain).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }, "\(name)")
    }
  }

  @Test("heads agree with plain C", arguments: [1, 5, 127, 128, 129, 300])
  func heads(columns: Int) {
    let rows = 9
    let tokens = 6
    let blocks = (columns + 127) / 128
    var random = SeededRandom(seed: 9)
    let bytes = (0..<(rows * max(columns * 2, blocks * 96))).map { _ in UInt8(random.below(256)) }
    let halves = Self.numbers(rows * max(columns, blocks * 4), 4).map { value in
      var (from, to): (Float, UInt16) = (value, 0)
      Self.sets[0].ops.f32_to_f16(&from, &to, 1)
      return to
    }
    let x = Self.numbers(tokens * columns, 5)
    let scales = Self.numbers(rows, 6)
    func run(_ ops: tk_float_ops) -> [[Float]] {
      var all = [[Float]](repeating: [Float](repeating: 0, count: tokens * rows), count: 5)
      let int8 = bytes.map { Int8(bitPattern: $0) }
      ops.head_f16(halves, columns, rows, x, columns, tokens, columns, &all[0], rows)
      ops.head_bf16(halves, columns, rows, x, columns, tokens, columns, &all[1], rows)
      ops.head_i8(int8, scales, columns, rows, x, columns, tokens, columns, &all[2], rows)
      ops.head_i4(bytes, halves, rows, x, columns, tokens, columns, &all[3], rows)
      ops.head_i6(bytes, halves, rows, x, columns, tokens, columns, &all[4], rows)
      return all
    }
    let plain = run(Self.sets[0].ops)
    // Greatest magnitude of a weight in each head, its scale included.
    let greatest: [Float] = [4, 512, 512, 32, 128]
    for (name, ops) in Self.sets.dropFirst() {
      for (head, (found, right)) in zip(run(ops), plain).enumerated() {
        let bound = greatest[head] * 4 * Float(columns) * Float(columns + 8) * 6e-8
        for (a, b) in zip(found, right) { #expect(abs(a - b) <= bound, "\(name), head \(head)") }
      }
    }
  }
}
