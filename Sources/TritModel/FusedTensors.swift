import TritCore
import TritFormats

/// Matrices that converters put on top of each other: read as the rows that they are.
///
/// `attn_qkv` has the rows of q, then of k, then of v (llama.cpp, `create_tensor_qkv`). An `ffn_up` of
/// twice the rows without an `ffn_gate` has those of the gate first (`LLM_FFN_SWIGLU` of one matrix).
enum FusedTensors {
  /// `file` with every such matrix, and its bias, in parts. Throws `badData` where the rows are not
  /// those of the configuration, and for types whose rows cannot be parted.
  static func parted(_ file: GGUFFile, _ configuration: ModelConfiguration) throws -> GGUFFile {
    var parts: [String: [(name: String, rows: Int)]] = [:]
    for layer in 0..<configuration.layers {
      func add(_ fused: String, _ roles: [LinearRole]) {
        for end in ["weight", "bias"] {
          let name = "blk.\(layer).\(fused).\(end)"
          guard file.info(name) != nil else { continue }
          parts[name] = roles.map {
            ("blk.\(layer).\($0.rawValue).\(end)", $0.shape(configuration).rows)
          }
        }
      }
      add("attn_qkv", [.query, .key, .value])
      let up = file.info("blk.\(layer).ffn_up.weight")
      if up?.shape.first == 2 * configuration.feedForwardSize,
        file.info("blk.\(layer).ffn_gate.weight") == nil
      {
        add("ffn_up", [.gate, .up])
      }
    }
    return try file.splitting(parts)
  }
}
