import TritCore
import TritFormats

/// A GGUF file again, under the name of another architecture.
struct GGUFCopy {
  private let file: GGUFFile
  private let renaming: (from: String, to: String)

  init(_ file: GGUFFile, renaming: (from: String, to: String)) {
    (self.file, self.renaming) = (file, renaming)
  }

  /// Writes it.
  func write(to path: String) throws {
    var writer = GGUFWriter()
    for (key, value) in file.metadata {
      if key == "general.architecture" {
        writer.set(key, .string(renaming.to))
      } else if key.hasPrefix(renaming.from + ".") {
        writer.set(renaming.to + key.dropFirst(renaming.from.count), value)
      } else {
        writer.set(key, value)
      }
    }
    for info in file.tensors {
      writer.add(
        try TensorContent(name: info.name, type: info.type, shape: info.shape) { sink in
          try sink(try file.bytes(info.name))
        })
    }
    try writer.write(to: path)
  }
}

extension I2SLayout {
  /// The orders that files have beside the one that they are read in.
  static let others: [I2SLayout] = [.arm64, .rows4]

  /// The order in words.
  var words: String {
    switch self {
    case .blocks128: "blocks of 128"
    case .arm64: "blocks of 64 (arm64)"
    case .rows4: "four rows a byte (rows4)"
    }
  }

  /// Who writes it, and what to do about it.
  var mend: String {
    let who =
      switch self {
      case .blocks128: "every converter of bitnet.cpp writes it"
      case .arm64: "llama-quantize of an ARM build wrote it"
      case .rows4: "a quantizer that was built without ACT_PARALLEL wrote it"
      }
    return
      "\(who): run it with --i2s-layout \(rawValue), or write a file that every program reads with "
      + "trit export --i2s-layout \(rawValue)"
  }
}
