import TritCore

/// Q4_K and Q5_K: 256 weights in eight runs of 32, each with a 6-bit scale and a 6-bit minimum in
/// units of two float16: weight = d · scale · code − dmin · minimum.
///
/// Layout: `d`, `dmin`, 12 bytes of scales and minima, for Q5_K 32 bytes of fifth bits, 128 bytes
/// of nibbles. 32 bytes of nibbles hold two runs, the first in the low halves.
///
/// Source: ggml-org/llama.cpp, `ggml-quants.c` (`dequantize_row_q4_K`, `dequantize_row_q5_K`,
/// `get_scale_min_k4`); mixed files hold their embedding and head so.
extension FloatDecoding {
  static func q4k(
    _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ blocks: Int
  ) {
    for block in 0..<blocks {
      let bytes = source + 144 * block
      runs(bytes, nibbles: bytes + 16, fifths: nil, target + 256 * block)
    }
  }

  static func q5k(
    _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ blocks: Int
  ) {
    for block in 0..<blocks {
      let bytes = source + 176 * block
      runs(bytes, nibbles: bytes + 48, fifths: bytes + 16, target + 256 * block)
    }
  }

  @inline(__always) private static func runs(
    _ bytes: UnsafeRawPointer, nibbles: UnsafeRawPointer, fifths: UnsafeRawPointer?,
    _ values: UnsafeMutablePointer<Float>
  ) {
    let scale = float16(bytes.loadUnaligned(as: UInt16.self))
    let least = float16(bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    for run in 0..<8 {
      let (units, minimum) = scaleAndMinimum(bytes + 4, run)
      let (step, offset) = (scale * Float(units), least * Float(minimum))
      let low = nibbles + 32 * (run / 2)
      let shift = UInt8(4 * (run & 1))
      for i in 0..<32 {
        var code = low.load(fromByteOffset: i, as: UInt8.self) &>> shift & 15
        if let fifths {
          code |= (fifths.load(fromByteOffset: i, as: UInt8.self) &>> UInt8(run) & 1) << 4
        }
        values[32 &* run &+ i] = step * Float(code) - offset
      }
    }
  }

  /// Scale and minimum of run `run`. The first four runs have 6 bits in bytes of their own; of the
  /// others the low 4 bits share a byte, and the high 2 stand above those of the first four.
  @inline(__always) private static func scaleAndMinimum(_ bytes: UnsafeRawPointer, _ run: Int)
    -> (UInt8, UInt8)
  {
    func byte(_ index: Int) -> UInt8 { bytes.load(fromByteOffset: index, as: UInt8.self) }
    if run < 4 { return (byte(run) & 63, byte(run + 4) & 63) }
    return (
      byte(run + 4) & 15 | (byte(run - 4) >> 6) << 4, byte(run + 4) >> 4 | (byte(run) >> 6) << 4
    )
  }
}
