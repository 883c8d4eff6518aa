/// `random.Random` of CPython: the Mersenne Twister MT19937 (Matsumoto and Nishimura, ACM TOMACS
/// 8.1, 1998) with its seeding by an integer and the ways in which `Lib/random.py` of 3.11 draws
/// from it.
///
/// Few-shot examples and bootstraps of lm-evaluation-harness are drawn by it, so that equal figures
/// need equal draws.
package struct PythonRandom {
  private var state = [UInt32](repeating: 0, count: 624)
  private var index = 624

  /// `Random(seed)`: `init_by_array` of the seed's words of 32 bits, the lowest first.
  package init(seed: UInt64) {
    let high = UInt32(truncatingIfNeeded: seed >> 32)
    let low = UInt32(truncatingIfNeeded: seed)
    let key = high == 0 ? [low] : [low, high]
    state[0] = 19_650_218
    for i in 1..<624 {
      state[i] = 1_812_433_253 &* (state[i - 1] ^ (state[i - 1] >> 30)) &+ UInt32(i)
    }
    var (i, j) = (1, 0)
    for _ in 0..<624 {
      state[i] =
        (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) &* 1_664_525))
        &+ key[j] &+ UInt32(j)
      i += 1
      j += 1
      if i >= 624 {
        state[0] = state[623]
        i = 1
      }
      if j >= key.count { j = 0 }
    }
    for _ in 0..<623 {
      state[i] =
        (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) &* 1_566_083_941))
        &- UInt32(i)
      i += 1
      if i >= 624 {
        state[0] = state[623]
        i = 1
      }
    }
    state[0] = 0x8000_0000
  }

  /// `getrandbits(32)`.
  package mutating func word() -> UInt32 {
    if index >= 624 { twist() }
    var y = state[index]
    index += 1
    y ^= y >> 11
    y ^= (y << 7) & 0x9D2C_5680
    y ^= (y << 15) & 0xEFC6_0000
    return y ^ (y >> 18)
  }

  private mutating func twist() {
    state.withUnsafeMutableBufferPointer { state in
      for i in 0..<624 {
        let y = (state[i] & 0x8000_0000) | (state[(i + 1) % 624] & 0x7FFF_FFFF)
        state[i] = state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_B0DF)
      }
    }
    index = 0
  }

  /// `random()`: 53 bits of two words, in 0..<1.
  package mutating func real() -> Double {
    let (a, b) = (word() >> 5, word() >> 6)
    return (Double(a) * 67_108_864 + Double(b)) * (1 / 9_007_199_254_740_992)
  }

  /// `_randbelow(count)`: draws of as many bits as `count` has, until one is below it. `count` is 1
  /// to 2³² − 1.
  package mutating func below(_ count: Int) -> Int {
    let bits = Int.bitWidth - count.leadingZeroBitCount
    while true {
      let draw = Int(word() >> UInt32(32 - bits))
      if draw < count { return draw }
    }
  }

  /// `sample(range(count), k)`: the chosen numbers in their order. `k` is at most `count`.
  package mutating func sample(_ k: Int, of count: Int) -> [Int] {
    // Below this size a list of all is smaller than a set of the chosen.
    var setSize = 21
    if k > 5 {
      var power = 1
      // 4 to the power ⌈log₄(3 k)⌉.
      while power < 3 * k { power *= 4 }
      setSize += power
    }
    if count <= setSize {
      var pool = Array(0..<count)
      return (0..<k).map { i in
        let j = below(count - i)
        defer { pool[j] = pool[count - i - 1] }
        return pool[j]
      }
    }
    var chosen: Set<Int> = []
    return (0..<k).map { _ in
      var j = below(count)
      while !chosen.insert(j).inserted { j = below(count) }
      return j
    }
  }

  /// `choices(range(count), k=count)` into `indices`: drawn with replacement, `floor(random() *
  /// count)` each.
  package mutating func resample(_ count: Int, into indices: inout [Int]) {
    for i in 0..<count { indices[i] = Int(real() * Double(count)) }
  }
}
