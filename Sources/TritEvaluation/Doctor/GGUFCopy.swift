import TritCore
import TritFormats

/// A GGUF file again, with another architecture or other bytes.
struct GGUFCopy {
  private let file: GGUFFile
  private let renaming: (from: String, to: String)?

  init(_ file: GGUFFile, renaming: (from: String, to: String)? = nil) {
    (self.file, self.renaming) = (file, renaming)
  }

  /// Writes it; `bytes` gives those of a tensor, nil for the file's own.
  func write(
    to path: String,
    bytes: (TensorInfo, UnsafeRawBufferPointer) throws -> [UInt8]? = { _, _ in nil }
  ) throws {
    var writer = GGUFWriter()
    for (key, value) in file.metadata {
      guard let renaming else {
        writer.set(key, value)
        continue
      }
      if key == "general.architecture" {
        writer.set(key, .string(renaming.to))
      } else if key.hasPrefix(renaming.from + ".") {
        writer.set(renaming.to + key.dropFirst(renaming.from.count), value)
      } else {
        writer.set(key, value)
      }
    }
    try withoutActuallyEscaping(bytes) { bytes in
      for info in file.tensors {
        writer.add(
          try TensorContent(name: info.name, type: info.type, shape: info.shape) { sink in
            let own = try file.bytes(info.name)
            if let other = try bytes(info, own) {
              try other.withUnsafeBytes { try sink($0) }
            } else {
              try sink(own)
            }
          })
      }
      try writer.write(to: path)
      writer = GGUFWriter()
    }
  }
}

/// Orders in which I2_S codes are found beside bitnet.cpp's blocks of 128 columns.
///
/// Source: microsoft/BitNet, ggml-bitnet-mad.cpp: `quantize_i2_s` on ARM since November 2025 (blocks
/// of 64), and on x86 without ACT_PARALLEL (four rows a byte).
enum I2SRelaying: String, CaseIterable {
  case arm64, rows4

  var words: String {
    switch self {
    case .arm64: "blocks of 64 (arm64)"
    case .rows4: "four rows a byte (rows4)"
    }
  }

  var mend: String {
    let who =
      self == .arm64
      ? "llama-quantize of an ARM build wrote it"
      : "a quantizer that was built without ACT_PARALLEL wrote it"
    return
      "\(who): convert it again on x86, or with trit export from the safetensors; TritLab reads it as "
      + "it is with --i2s-layout \(rawValue)"
  }

  /// Writes a copy whose I2_S tensors lie in blocks of 128, taken to lie in this order now.
  func write(_ file: GGUFFile, to path: String) throws -> String {
    try GGUFCopy(file).write(to: path) { info, bytes in
      info.type == .i2_s ? try relaid(info, bytes) : nil
    }
    return path
  }

  /// The bytes of a tensor in blocks of 128 columns. Throws where the shape does not fit this order.
  func relaid(_ info: TensorInfo, _ bytes: UnsafeRawBufferPointer) throws -> [UInt8] {
    let count = info.count
    guard info.shape.count == 2, count.isMultiple(of: 128), bytes.count >= count / 4,
      self == .arm64 || info.shape[0].isMultiple(of: 4)
    else {
      throw LabError(
        .badData, "a tensor cannot lie in this order", at: info.name, got: "\(info.shape)")
    }
    var result = Array(bytes)
    switch self {
    case .arm64:
      for block in stride(from: 0, to: count / 4, by: 32) {
        for place in 0..<16 {
          let (a, b) = (bytes[block + place], bytes[block + 16 + place])
          // Codes p, 16 + p, 32 + p, 48 + p of either half; those of 128 are 32 apart.
          result[block + place] =
            (a & 0xc0) | (a & 0x0c) << 2 | (b & 0xc0) >> 4 | (b & 0x0c) >> 2
          result[block + 16 + place] =
            (a & 0x30) << 2 | (a & 0x03) << 4 | (b & 0x30) >> 2 | (b & 0x03)
        }
      }
    case .rows4:
      let columns = info.shape[1]
      for index in 0..<count / 4 { result[index] = 0 }
      for group in 0..<info.shape[0] / 4 {
        for column in 0..<columns {
          let byte = bytes[group * columns + column]
          for row in 0..<4 {
            let code = byte >> UInt8(6 - 2 * row) & 3
            let place = (4 * group + row) * columns + column
            result[place / 128 * 32 + place % 32] |= code << UInt8(6 - 2 * (place % 128 / 32))
          }
        }
      }
    }
    return result
  }
}
