internal import CTritKernels

/// SHA-256 (FIPS 180-4), for the digests in run records. The toolchain ships no crypto module on
/// Linux.
public struct SHA256: Sendable {
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
    0x5be0_cd19,
  ]
  private var pending: [UInt8] = []
  private var length: UInt64 = 0
  private var schedule = [UInt32](repeating: 0, count: 64)

  /// A digest of nothing yet.
  public init() {}

  /// Adds bytes.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    length += UInt64(bytes.count)
    var rest = bytes[...]
    if !pending.isEmpty {
      let take = min(64 - pending.count, rest.count)
      pending.append(contentsOf: rest.prefix(take))
      rest = rest.dropFirst(take)
      guard pending.count == 64 else { return }
      let block = pending
      block.withUnsafeBytes { compress($0) }
      pending.removeAll(keepingCapacity: true)
    }
    let blocks = rest.count / 64
    if blocks > 0, !compressByInstructions(UnsafeRawBufferPointer(rebasing: rest), blocks) {
      for _ in 0..<blocks {
        compress(UnsafeRawBufferPointer(rebasing: rest.prefix(64)))
        rest = rest.dropFirst(64)
      }
    } else {
      rest = rest.dropFirst(64 * blocks)
    }
    pending.append(contentsOf: rest)
  }

  /// Ends the message; 64 lower-case hex digits.
  public mutating func finish() -> String {
    let bits = length * 8
    var tail: [UInt8] = [0x80]
    let used = (pending.count + 1) % 64
    tail += [UInt8](repeating: 0, count: (used <= 56 ? 56 : 120) - used)
    tail += (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * $0)) }
    tail.withUnsafeBytes { update($0) }
    return state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  /// The digest of `bytes`.
  public static func hex(_ bytes: UnsafeRawBufferPointer) -> String {
    var digest = SHA256()
    digest.update(bytes)
    return digest.finish()
  }

  /// The digest of the UTF-8 bytes of `text`.
  public static func hex(_ text: String) -> String {
    Array(text.utf8).withUnsafeBytes { hex($0) }
  }

  /// False where this CPU has no instructions for it.
  private mutating func compressByInstructions(_ bytes: UnsafeRawBufferPointer, _ blocks: Int)
    -> Bool
  {
    guard Self.usesInstructions, let data = bytes.baseAddress else { return false }
    return state.withUnsafeMutableBufferPointer { state in
      guard let state = state.baseAddress else { return false }
      return Self.constants.withUnsafeBufferPointer { constants in
        guard let constants = constants.baseAddress else { return false }
        return tk_sha256(state, constants, data, blocks) != 0
      }
    }
  }

  /// Off in a test that compares both ways.
  @TaskLocal package static var usesInstructions = true

  private mutating func compress(_ block: UnsafeRawBufferPointer) {
    for i in 0..<16 {
      schedule[i] = UInt32(
        bigEndian: block.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self))
    }
    for i in 16..<64 {
      let x = schedule[i - 15]
      let y = schedule[i - 2]
      let s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >> 3)
      let s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >> 10)
      schedule[i] = schedule[i - 16] &+ s0 &+ schedule[i - 7] &+ s1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for i in 0..<64 {
      let s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
      let first = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ Self.constants[i] &+ schedule[i]
      let s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
      let second = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
    }
    for (i, word) in [a, b, c, d, e, f, g, h].enumerated() { state[i] &+= word }
  }

  private func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { (x >> n) | (x << (32 - n)) }

  /// First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4
  /// §4.2.2), derived rather than listed.
  private static let constants: [UInt32] = {
    var primes: [Int] = []
    var candidate = 2
    while primes.count < 64 {
      if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
      candidate += 1
    }
    return primes.map { prime in
      // floor(cbrt(prime) * 2^32) by binary search on exact 128-bit integers.
      var low: UInt128 = 0
      var high: UInt128 = 1 << 36
      let target = UInt128(prime) << 96
      while high - low > 1 {
        let middle = (low + high) / 2
        if middle * middle * middle <= target { low = middle } else { high = middle }
      }
      return UInt32(truncatingIfNeeded: low)
    }
  }()
}
