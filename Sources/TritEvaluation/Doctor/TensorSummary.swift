import Foundation
public import TritCore
public import TritFormats
import TritKernels
import TritModel

/// What the values of one tensor are like.
public struct TensorSummary: Sendable {
  /// Name, type and shape; the shape of a matrix that packs four rows in a byte is that of the
  /// bytes.
  public let info: TensorInfo
  /// Values, of packed trits their number.
  public internal(set) var count = 0
  /// Share of zeros among the finite ones, 0…1.
  public var zeroShare: Double { count > 0 ? Double(zeros) / Double(count) : 0 }
  /// Least and greatest finite value; NaN where there is none.
  public internal(set) var minimum = Double.nan, maximum = Double.nan
  /// Mean magnitude of the finite values.
  public var meanMagnitude: Double { count > 0 ? sum / Double(count) : 0 }
  /// Values that are NaN, and that are infinite.
  public internal(set) var nan = 0, infinite = 0
  /// Values at either end of a float type of 16 bits.
  public internal(set) var atLimit = 0
  /// Where the values are −s, 0 and +s (for an s a tensor, row or group): how many of each; nil
  /// where they are not.
  public internal(set) var trits: (negative: Int, zero: Int, positive: Int)?
  /// Scales of packed trits as they multiply; empty where there are none.
  public internal(set) var scales: [Float] = []
  /// The least positive number that the scales' type holds without losing digits.
  var leastNormalScale = Float.leastNormalMagnitude
  /// Why the values could not be looked at; nil where they could.
  public internal(set) var problem: LabError?
  var zeros = 0
  var sum = 0.0

  init(_ info: TensorInfo) { self.info = info }

  /// Shannon entropy of the trits in bits a weight, at most log2 3 = 1.585; nil where there are
  /// none.
  public var entropy: Double? {
    guard let trits else { return nil }
    let parts = [trits.negative, trits.zero, trits.positive]
    let total = Double(parts.reduce(0, +))
    return parts.reduce(0.0) { sum, part in
      part == 0 ? sum : sum - Double(part) / total * log2(Double(part) / total)
    }
  }

  /// The least and the greatest scale; nil where there are none.
  public var scaleRange: (least: Float, greatest: Float)? {
    guard let least = scales.min(), let greatest = scales.max() else { return nil }
    return (least, greatest)
  }
}

extension TensorSummary {
  /// Looks at every value of `info`. A tensor that cannot be read has its `problem`.
  init(reading info: TensorInfo, of source: any TensorSource) {
    self.init(info)
    do {
      if TernaryNames.isPacked(info.type) {
        try readPacked(source)
      } else if info.type == .u8, info.name.hasSuffix(".weight") {
        readCodes(try source.bytes(info.name))
      } else {
        try readFloats(source)
      }
    } catch {
      problem = error as? LabError ?? LabError(.badData, "\(error)", at: info.name)
    }
    source.release(info.name)
  }

  // MARK: Trits

  private mutating func readPacked(_ source: any TensorSource) throws {
    guard info.shape.count == 2 else {
      throw LabError(.badData, "packed trits are no matrix", got: "\(info.shape)")
    }
    let bytes = try source.bytes(info.name)
    if info.type == .i2_s, bytes.count >= info.count / 4 + 4 {
      // How many there are of each code is the same in every order of them.
      scales = [bytes.loadUnaligned(fromByteOffset: info.count / 4, as: Float.self)]
      return readCodes(UnsafeRawBufferPointer(rebasing: bytes[..<(info.count / 4)]))
    }
    let packing = try Registry<any Packing>.standard.make(
      StageChoice(info.type.name.lowercased()))
    let packed = try packing.read(
      bytes, rows: info.shape[0], columns: info.shape[1], scales: nil)
    guard case .ternary(let matrix) = try packing.unpack(packed) else {
      throw LabError(.internalError, "the packing gives no trits", got: packing.name)
    }
    scales = matrix.scales
    switch info.type {
    case .i2_s, .tl1, .tl2: break
    default: leastNormalScale = 0x1p-14
    }
    var counts = (0, 0, 0)
    matrix.trits.span.withUnsafeBufferPointer { trits in
      for trit in trits {
        if trit < 0 { counts.0 += 1 } else if trit == 0 { counts.1 += 1 } else { counts.2 += 1 }
      }
    }
    set(counts)
  }

  /// Four codes (trit + 1) a byte, in any order.
  private mutating func readCodes(_ bytes: UnsafeRawBufferPointer) {
    var histogram = [Int](repeating: 0, count: 256)
    for byte in bytes { histogram[Int(byte)] += 1 }
    var codes = [0, 0, 0, 0]
    for (byte, occurrences) in histogram.enumerated() where occurrences > 0 {
      for place in 0..<4 { codes[byte >> (2 * place) & 3] += occurrences }
    }
    set((codes[0], codes[1], codes[2]))
    if codes[3] > 0 {
      problem = LabError(
        .badData, "it holds codes that stand for no trit", at: info.name,
        expected: "2-bit codes 0, 1, 2", got: "\(codes[3]) codes 3 of \(codes.reduce(0, +))")
    }
  }

  private mutating func set(_ counts: (Int, Int, Int)) {
    trits = (counts.0, counts.1, counts.2)
    count = counts.0 + counts.1 + counts.2
    zeros = counts.1
    (minimum, maximum) = (counts.0 > 0 ? -1 : 0, counts.2 > 0 ? 1 : 0)
    sum = Double(counts.0 + counts.2)
    scaleValues()
  }

  /// Gives the values their scale where there is one.
  mutating func scaleValues() {
    guard let range = scaleRange, range.least == range.greatest, range.greatest.isFinite else {
      return
    }
    minimum *= Double(range.greatest)
    maximum *= Double(range.greatest)
    sum *= Double(range.greatest)
  }

  // MARK: Floats

  private mutating func readFloats(_ source: any TensorSource) throws {
    guard let block = info.type.block else {
      throw LabError(.badData, "the type \(info.type.name) is not looked into", at: info.name)
    }
    let bytes = try source.bytes(info.name)
    guard info.count.isMultiple(of: block.elements),
      bytes.count == info.count / block.elements * block.bytes
    else {
      throw LabError(
        .badData, "it has the wrong size for its shape", at: info.name, expected: "\(info.shape)",
        got: "\(bytes.count) bytes of \(info.type.name)")
    }
    let limit: Float =
      switch info.type {
      case .f16: 65504
      case .bf16: Float(bitPattern: 0x7f7f_0000)
      default: .infinity
      }
    // Some MiB at a time, whatever the tensor has.
    let piece = (1 << 18) / block.elements * block.elements
    let values = AlignedBuffer<Float>(count: min(piece, max(info.count, 1)))
    var looked = FloatLook(limit: limit)
    var start = 0
    while start < info.count {
      let part = min(piece, info.count - start)
      let range =
        start / block.elements * block.bytes..<(start + part) / block.elements * block.bytes
      let output = UnsafeMutableBufferPointer(start: values.base, count: part)
      guard
        try FloatDecoding.decode(
          UnsafeRawBufferPointer(rebasing: bytes[range]), as: info.type, to: output)
      else {
        throw LabError(.badData, "the type \(info.type.name) is not looked into", at: info.name)
      }
      looked.add(UnsafeBufferPointer(output))
      source.release(info.name, range)
      start += part
    }
    count = info.count
    (nan, infinite, atLimit, zeros, sum) = (
      looked.nan, looked.infinite, looked.atLimit, looked.zeros, looked.sum
    )
    if looked.least <= looked.greatest {
      (minimum, maximum) = (Double(looked.least), Double(looked.greatest))
    }
    if looked.isOneMagnitude, looked.magnitude > 0, info.shape.count == 2 {
      trits = (looked.negative, zeros, count - zeros - looked.negative)
    }
  }
}

/// Sums over float values.
private struct FloatLook {
  let limit: Float
  var nan = 0, infinite = 0, atLimit = 0, zeros = 0, negative = 0
  var sum = 0.0
  var least = Float.infinity, greatest = -Float.infinity
  /// The one magnitude that the values have, where they have one.
  var magnitude: Float = 0
  var isOneMagnitude = true

  init(limit: Float) { self.limit = limit }

  mutating func add(_ values: UnsafeBufferPointer<Float>) {
    for value in values {
      let size = value.magnitude
      if value == 0 {
        zeros += 1
        least = min(least, 0)
        greatest = max(greatest, 0)
        continue
      }
      guard value.isFinite else {
        if value.isNaN { nan += 1 } else { infinite += 1 }
        isOneMagnitude = false
        continue
      }
      if value < 0 { negative += 1 }
      if size >= limit { atLimit += 1 }
      sum += Double(size)
      least = min(least, value)
      greatest = max(greatest, value)
      if magnitude == 0 { magnitude = size }
      if size != magnitude { isOneMagnitude = false }
    }
  }
}

/// Which tensor types are packed trits: those whose packing is registered under their name.
enum TernaryNames {
  static func isPacked(_ type: TensorType) -> Bool {
    let name = type.name.lowercased()
    return TernaryTensors.packings.contains(name)
      && Registry<any Packing>.standard.names.contains(name)
  }
}
