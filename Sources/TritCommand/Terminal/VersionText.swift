import TritLab

/// What `trit --version` prints: all that a report of a problem or of a speed must say.
enum VersionText {
  /// The same as JSON.
  static var json: JSONValue {
    [
      "version": .string(BuildInformation.version),
      "commit": BuildInformation.commit.map(JSONValue.string) ?? .null,
      "swift": .string(BuildInformation.swiftVersion),
      "optimized": .bool(BuildInformation.isOptimized),
      "architecture": .string(BuildInformation.architecture),
      "cpu": .array(CPUFeatures.here.names.map(JSONValue.string)),
      "blas": .string(OpenBLASRuntime.description),
    ]
  }

  /// One `key: value` a line after the version.
  static func text() -> String {
    var lines = ["trit \(BuildInformation.version)"]
    lines.append("commit: " + (BuildInformation.commit ?? "unknown"))
    let mode = BuildInformation.isOptimized ? "release" : "debug"
    lines.append(
      "swift: \(BuildInformation.swiftVersion) (\(mode), \(BuildInformation.architecture))")
    let features = CPUFeatures.here.names
    lines.append("cpu: " + (features.isEmpty ? "baseline" : features.joined(separator: " ")))
    lines.append("blas: " + OpenBLASRuntime.description)
    return lines.joined(separator: "\n") + "\n"
  }
}
