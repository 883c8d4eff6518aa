import TritCore
import TritFormats

extension Checkpoint {
  /// Number of weights, however they are stored: a byte of packed trits counts as four, scales of
  /// packed tensors do not count.
  public var parameterCount: Int {
    source.tensors.reduce(0) { sum, info in
      if info.name.hasSuffix(".weight_scale") || info.name.hasSuffix(".scale") { return sum }
      return sum + (info.type == .u8 ? 4 : 1) * info.count
    }
  }

  /// Bytes of all tensors in the file.
  public var byteCount: Int { source.tensors.reduce(0) { $0 + $1.byteCount } }

  /// How most of the weights are stored: `i2_s`, `f32`, `packed trits`…
  public var storage: String {
    var bytes: [String: Int] = [:]
    for info in source.tensors {
      bytes[info.type == .u8 ? "packed trits" : info.type.name, default: 0] +=
        info.type == .u8 ? 4 * info.count : info.count
    }
    return bytes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? "empty"
  }

  /// Blocks of the model that a file with fewer is cut from: what `trit dummy --layers` notes. nil
  /// where the file holds a whole model.
  public var fullLayers: Int? {
    guard let file = source as? GGUFFile, let count = file[DummyModel.fullLayersKey]?.integer,
      count > configuration.layers, count <= 4096
    else { return nil }
    return count
  }
}
