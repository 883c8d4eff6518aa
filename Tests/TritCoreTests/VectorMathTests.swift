import Testing
import TritCore

/// Lengths around the vector widths, and one of a real layer.
private let lengths = [0, 1, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 255, 257, 1000, 2560]

private func numbers(_ count: Int, seed: UInt64, spread: Float = 4) -> [Float] {
  var random = SeededRandom(seed: seed)
  return (0..<count).map { _ in (Float(random.uniform()) * 2 - 1) * spread }
}

@Suite("VectorMath")
struct VectorMathTests {
  @Test("norm follows its formula", arguments: lengths)
  func norm(count: Int) {
    let x = numbers(count, seed: 1)
    let weight = numbers(count, seed: 2)
    var out = [Float](repeating: 9, count: count + 1)
    VectorMath.rmsNorm(x, weight: weight, epsilon: 1e-5, into: &out, count: count)
    let mean = x.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(max(count, 1))
    let factor = 1 / (mean + 1e-5).squareRoot()
    for index in 0..<count {
      let exact = Double(x[index]) * factor * Double(weight[index])
      #expect(abs(Double(out[index]) - exact) <= abs(exact) * 3e-7)
    }
    #expect(out[count] == 9)
    VectorMath.rmsNorm(x, weight: nil, epsilon: 1e-5, into: &out, count: count)
    for index in 0..<count {
      #expect(abs(Double(out[index]) - Double(x[index]) * factor) <= 2e-7 * 10)
    }
  }

  @Test("greatest values ignore NaN", arguments: lengths)
  func greatest(count: Int) {
    var x = numbers(count, seed: 3)
    #expect(VectorMath.absmax(x, count: count) == x.map(abs).max() ?? 0)
    #expect(VectorMath.maximum(x, count: count) == x.max() ?? -.infinity)
    let negative = x.map { -abs($0) - 1 }
    #expect(VectorMath.maximum(negative, count: count) == negative.max() ?? -.infinity)
    if count > 2 {
      x[count / 2] = .nan
      let rest = x.filter { !$0.isNaN }
      #expect(VectorMath.absmax(x, count: count) == rest.map(abs).max())
      #expect(VectorMath.maximum(x, count: count) == rest.max())
    }
  }

  @Test("rows to int8 round half to even, clamp, and sum", arguments: lengths)
  func quantize(count: Int) {
    let x = numbers(count, seed: 4)
    var codes = [Int8](repeating: 99, count: count + 1)
    let (multiplier, sum) = VectorMath.quantizeAbsmax(x, into: &codes, count: count)
    let expected = x.map { Int32(min(max(($0 * multiplier).rounded(.toNearestOrEven), -128), 127)) }
    #expect(multiplier == 127 / max(x.map(abs).max() ?? 0, 1e-5))
    #expect(codes.dropLast().map(Int32.init) == expected)
    #expect(sum == expected.reduce(0, +))
    #expect(codes[count] == 99)
  }

  @Test("ties, limits and strange values of rows to int8")
  func ties() {
    let x: [Float] = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 1000, -1000, .infinity, -.infinity, 0]
    var codes = [Int8](repeating: 0, count: x.count)
    let sum = VectorMath.quantize(x, multiplier: 1, into: &codes, count: x.count)
    #expect(codes == [0, 2, 2, 0, -2, -2, 127, -128, 127, -128, 0])
    #expect(sum == -2)
    _ = VectorMath.quantize(x, multiplier: 1, limit: 7, into: &codes, count: x.count)
    #expect(codes == [0, 2, 2, 0, -2, -2, 7, -8, 7, -8, 0])
    let zeros = [Float](repeating: 0, count: 5)
    let (multiplier, zeroSum) = VectorMath.quantizeAbsmax(zeros, into: &codes, count: 5)
    #expect(multiplier == 127 / Float(1e-5))
    #expect(zeroSum == 0)
    #expect(codes.prefix(5).allSatisfy { $0 == 0 })
  }

  @Test("gated activations follow their formulas", arguments: lengths)
  func gated(count: Int) {
    let gate = numbers(count, seed: 5, spread: 12)
    let up = numbers(count, seed: 6)
    var out = [Float](repeating: 0, count: count)
    VectorMath.siluMultiply(gate: gate, up: up, into: &out, count: count)
    for index in 0..<count {
      let g = Double(gate[index])
      let exact = g / (1 + exponential(-g)) * Double(up[index])
      #expect(abs(Double(out[index]) - exact) <= abs(exact) * 1e-6 + 1e-30)
    }
    VectorMath.reluSquaredMultiply(gate: gate, up: up, into: &out, count: count)
    for index in 0..<count {
      let g = max(gate[index], 0)
      #expect(out[index] == g * g * up[index])
    }
  }

  @Test("extreme gates stay finite where the formula does")
  func extremeGates() {
    let gate: [Float] = [-1e30, -200, -88, 0, 88, 200, 1e30, -.infinity, .nan]
    let up = [Float](repeating: 1, count: gate.count)
    var out = up
    VectorMath.siluMultiply(gate: gate, up: up, into: &out, count: 7)
    #expect(out[0].isFinite && out[1].isFinite && abs(out[1]) < 1e-30)
    #expect(out[3] == 0 && out[4] == 88 && out[5] == 200 && out[6] == 1e30)
    VectorMath.reluSquaredMultiply(gate: gate, up: up, into: &out, count: gate.count)
    #expect(out[7] == 0 && out[8].isNaN)
  }

  @Test("sums of products", arguments: lengths)
  func products(count: Int) {
    let a = numbers(count, seed: 7)
    let b = numbers(count, seed: 8)
    var half = [UInt16](repeating: 0, count: count)
    VectorMath.narrow(b, toFloat16: &half, count: count)
    let small = b.map { Int8($0 * 30) }
    let bound = a.reduce(0.0) { $0 + abs(Double($1)) } * 4 * 1e-6 + 1e-12
    func exact(_ other: [Double]) -> Double {
      zip(a, other).reduce(0.0) { $0 + Double($1.0) * $1.1 }
    }
    let halves = half.map { Double(widened($0)) }
    #expect(abs(Double(VectorMath.dot(a, b, count: count)) - exact(b.map(Double.init))) <= bound)
    #expect(abs(Double(VectorMath.dot(a, float16: half, count: count)) - exact(halves)) <= bound)
    let integers = exact(small.map(Double.init))
    #expect(abs(Double(VectorMath.dot(a, int8: small, count: count)) - integers) <= bound * 32)
    var y = b
    VectorMath.axpy(0.5, a, into: &y, count: count)
    VectorMath.axpy(0.25, float16: half, into: &y, count: count)
    VectorMath.axpy(-2, int8: small, into: &y, count: count)
    for index in 0..<count {
      let exact =
        Double(b[index]) + 0.5 * Double(a[index]) + 0.25 * halves[index] - 2 * Double(small[index])
      #expect(abs(Double(y[index]) - exact) <= 1e-4)
    }
    VectorMath.add(a, b, into: &y, count: count)
    #expect(y == zip(a, b).map { $0 + $1 })
    VectorMath.multiply(a, b, into: &y, count: count)
    #expect(y == zip(a, b).map { $0 * $1 })
    VectorMath.scale(a, by: 3, into: &y, count: count)
    #expect(y == a.map { $0 * 3 })
  }

  @Test("softmax sums to one and keeps ratios", arguments: lengths.filter { $0 > 0 })
  func softmax(count: Int) {
    let x = numbers(count, seed: 9, spread: 20)
    var y = x
    VectorMath.softmax(&y, count: count)
    let most = Double(x.max() ?? 0)
    let total = x.reduce(0.0) { $0 + exponential(Double($1) - most) }
    for index in 0..<count {
      let exact = exponential(Double(x[index]) - most) / total
      // The exponent itself, up to 40, is rounded to float32: 2.4e-6 of the result.
      #expect(abs(Double(y[index]) - exact) <= exact * 3.5e-6 + 1e-37)
    }
    #expect(abs(y.reduce(0, +) - 1) < 1e-5)
  }

  @Test("softmax takes masked and huge values")
  func softmaxExtremes() {
    var y: [Float] = [-.infinity, 3e38, 3e38, -3e38]
    VectorMath.softmax(&y, count: 4)
    #expect(y == [0, 0.5, 0.5, 0])
  }

  @Test("every binary16 and bfloat16 value survives the round trip")
  func halves() {
    let all = (0...UInt16.max).map { $0 }
    var floats = [Float](repeating: 0, count: all.count)
    var back = [UInt16](repeating: 0, count: all.count)
    VectorMath.widen(float16: all, into: &floats, count: all.count)
    for (bits, value) in zip(all, floats) {
      let expected = widened(bits)
      #expect(value == expected || (value.isNaN && expected.isNaN))
    }
    VectorMath.narrow(floats, toFloat16: &back, count: all.count)
    for (bits, again) in zip(all, back) {
      let isNaN = bits & 0x7FFF > 0x7C00
      #expect(isNaN ? again & 0x7FFF > 0x7C00 : again == bits)
    }
    VectorMath.widen(bfloat16: all, into: &floats, count: all.count)
    VectorMath.narrow(floats, toBFloat16: &back, count: all.count)
    for (bits, again) in zip(all, back) {
      let isNaN = bits & 0x7FFF > 0x7F80
      #expect(isNaN ? again & 0x7FFF > 0x7F80 : again == bits)
    }
  }

  @Test("narrowing rounds to nearest even, overflows to infinity")
  func narrowing() {
    let x: [Float] = [
      1 + 0x1p-11, 1 + 3 * 0x1p-11, 65_504, 65_519.99, 65_520, -1e30, 0x1p-25, 0x1.8p-25, 0x1p-24,
      1e-30,
    ]
    var half = [UInt16](repeating: 0, count: x.count)
    VectorMath.narrow(x, toFloat16: &half, count: x.count)
    #expect(half == [0x3C00, 0x3C02, 0x7BFF, 0x7BFF, 0x7C00, 0xFC00, 0, 1, 1, 0])
    let y: [Float] = [1 + 0x1p-8, 1 + 3 * 0x1p-8, .infinity, .greatestFiniteMagnitude]
    VectorMath.narrow(y, toBFloat16: &half, count: y.count)
    #expect(Array(half.prefix(4)) == [0x3F80, 0x3F82, 0x7F80, 0x7F80])
  }
}

/// e^x in double, by halving the argument until a Taylor series of 20 terms is exact.
private func exponential(_ x: Double) -> Double {
  var squarings = 0
  var y = x
  while abs(y) > 0.5 {
    y /= 2
    squarings += 1
  }
  var term = 1.0
  var sum = 1.0
  for n in 1...20 {
    term *= y / Double(n)
    sum += term
  }
  for _ in 0..<squarings { sum *= sum }
  return sum
}

/// binary16 bits to float, by the definition of the format.
private func widened(_ bits: UInt16) -> Float {
  let sign: Float = bits & 0x8000 == 0 ? 1 : -1
  let exponent = Int(bits >> 10 & 0x1F)
  let fraction = Float(bits & 0x3FF)
  switch exponent {
  case 0: return sign * fraction * 0x1p-24
  case 31: return fraction == 0 ? sign * .infinity : .nan
  default:
    return sign * (1 + fraction / 1024)
      * Float(sign: .plus, exponent: exponent - 15, significand: 1)
  }
}
