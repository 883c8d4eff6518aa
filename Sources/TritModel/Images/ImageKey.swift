import TritCore
import TritFormats
import TritKernels

/// What an image is found by: model, choices, program and CPU, in lines.
struct ImageKey: Sendable, Hashable {
  /// All of it.
  let text: String
  /// A file name without its ending: the kind and the first digits of the text's SHA-256.
  let name: String

  /// Which part of a model an image holds.
  enum Part: String, Sendable {
    /// All linear layers.
    case layers
    /// The output head.
    case head
  }

  /// The key of one part of `checkpoint` under `choices`; nil where the model does not lie in
  /// files.
  init?(_ part: Part, of checkpoint: Checkpoint, choices: [String]) {
    guard let source = checkpoint.source as? any MappedSource else { return nil }
    var lines = [
      "tritlab prepared weights 1, \(part.rawValue)",
      "program \(BuildInformation.version) \(BuildInformation.commit ?? "-") \(AutoMemory.program)",
      "cpu \(HostInformation.cpuName): \(CPUFeatures.here.names.joined(separator: " "))",
    ]
    for file in source.mappedFiles { lines.append(Self.line(file)) }
    if let layout = (source as? GGUFFile)?.i2sLayout, layout != .blocks128 {
      lines.append("i2_s \(layout.rawValue)")
    }
    if ModelLocation.isDirectory(checkpoint.path) {
      guard
        let file = try? checkpoint.files.perform({
          try MappedFile(checkpoint.path + "/config.json")
        })
      else { return nil }
      lines.append(Self.line(file))
    }
    text = (lines + choices).joined(separator: "\n")
    name = "\(part.rawValue)-\(SHA256.hex(text).prefix(24))"
  }

  private static func line(_ file: MappedFile) -> String {
    let stamp = file.stamp
    let digest = file.span.extracting(first: 1 << 20).withUnsafeBytes { SHA256.hex($0) }
    return "file device \(stamp.device) inode \(stamp.inode) bytes \(stamp.size) "
      + "modified \(stamp.modified) changed \(stamp.changed) begins \(digest)"
  }
}

/// What an image says of itself: whose weights it holds, and what each section is.
struct ImageManifest: Sendable, Codable {
  /// A file that it was made from.
  struct File: Sendable, Codable, Hashable {
    var path: String
    /// SHA-256 of all bytes, 64 hex digits.
    var digest: String
  }

  /// A linear layer.
  struct Layer: Sendable, Codable {
    var name: String
    var kernel: String
    var rows: Int
    var columns: Int
    /// As in `LayerReport`.
    var form: String
    var weights: QuantizedWeights.Kind
    var granularity: ScaleGranularity?
    var provenance: String
    var activations: String
    var plainBytes: Int
    var kernelChoice: String
    var isPicked: Bool
    var isZero: Bool
    /// Where its sections begin, counted from the first one of the image, and how many bytes each
    /// has.
    var starts: [Int]
    var sizes: [Int]
  }

  /// The head.
  struct Head: Sendable, Codable {
    var form: KeptHeadForm
    var rows: Int
    var columns: Int
    var starts: [Int]
    var sizes: [Int]
  }

  /// The model's file or folder.
  var model: String
  var content: String
  var files: [File]
  var layers: [Layer] = []
  var head: Head?
}
