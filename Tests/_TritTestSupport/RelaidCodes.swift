import TritCore
import TritFormats

/// GGUF files whose I2_S codes lie in another order than bitnet.cpp's converters write: what a reader
/// has to be told of.
public enum RelaidCodes {
  /// Writes the file at `path`, whose codes lie in blocks of 128, to `copy` as `layout`.
  ///
  /// Byte p of a block of 128 has the codes of columns p, 32 + p, 64 + p, 96 + p, the first in its
  /// upper bits; of a block of 64 those of p, 16 + p, 32 + p, 48 + p; of four rows one column each.
  public static func write(_ path: String, as layout: I2SLayout, to copy: String) throws {
    let file = try GGUFFile(path: path)
    var writer = GGUFWriter()
    for (key, value) in file.metadata { writer.set(key, value) }
    for info in file.tensors {
      var bytes = Array(try file.bytes(info.name))
      if info.type == .i2_s { relay(&bytes, info, layout) }
      writer.add(
        try TensorContent(name: info.name, type: info.type, shape: info.shape, bytes: bytes))
    }
    try writer.write(to: copy)
  }

  private static func relay(_ bytes: inout [UInt8], _ info: TensorInfo, _ layout: I2SLayout) {
    let own = bytes
    let columns = info.shape[1]
    for index in 0..<info.count / 4 { bytes[index] = 0 }
    for index in 0..<info.count {
      let code = own[index / 128 * 32 + index % 32] >> UInt8(6 - 2 * (index % 128 / 32)) & 3
      let (place, field) =
        switch layout {
        case .blocks128: (index / 128 * 32 + index % 32, index % 128 / 32)
        case .arm64: (index / 64 * 16 + index % 16, index % 64 / 16)
        case .rows4:
          (index / columns / 4 * columns + index % columns, index / columns % 4)
        }
      bytes[place] |= code << UInt8(6 - 2 * field)
    }
  }
}
