import TritCore
import TritFormats

/// Where a kernel listens and how messages are signed, from the connection file that Jupyter
/// writes.
///
/// Source: jupyter-client's kernels.rst, "connection files".
public struct JupyterConnection: Sendable {
  /// The address to bind.
  public let ip: String
  /// The file, for messages.
  let path: String
  let ports: [KernelChannel: Int]
  let key: [UInt8]

  /// A connection of one's own, in tests; ports that are left out are chosen by the system.
  package init(ip: String = "127.0.0.1", ports: [KernelChannel: Int] = [:], key: String) {
    self.ip = ip
    self.ports = ports
    self.key = Array(key.utf8)
    path = "connection"
  }

  /// Whether messages are signed. Where they are not, everybody who reaches the ports can run code.
  public var isSigned: Bool { !key.isEmpty }

  /// Reads a connection file. Throws `missingInput` where there is none, `badData` for what is
  /// none, or asks for another transport, encryption or signature than TCP, none and HMAC-SHA-256.
  public init(path: String) throws {
    let file = JSONField(
      value: try JSONReader.readFile(path, limit: Self.limit), file: path)
    let advice = "let Jupyter write it: jupyter lab, jupyter console --kernel trit"
    guard file.value.object != nil else {
      throw LabError(
        .badData, "this is no connection file", at: path, expected: "a JSON object",
        advice: advice)
    }
    func required(_ key: String) throws -> JSONField {
      guard let field = file[key] else {
        throw LabError(
          .badData, "the key '\(key)' is missing", at: path,
          expected: "a connection file of Jupyter",
          advice: advice)
      }
      return field
    }
    let transport = try file["transport"]?.string() ?? "tcp"
    guard transport == "tcp" else {
      throw LabError(
        .badData, "the transport '\(transport)' is not spoken here", at: "\(path): transport",
        expected: "tcp", got: transport,
        advice: "start Jupyter with --KernelManager.transport=tcp")
    }
    for key in ["curve_publickey", "curve_secretkey", "curve_serverkey"] where file[key] != nil {
      throw LabError(
        .badData, "encrypted connections (CurveZMQ) are not spoken here", at: "\(path): \(key)",
        expected: "no such key",
        advice: "start Jupyter without encryption of kernels, on this machine (ip 127.0.0.1)")
    }
    let scheme = try file["signature_scheme"]?.string() ?? "hmac-sha256"
    guard scheme == "hmac-sha256" else {
      throw LabError(
        .badData, "the signature scheme '\(scheme)' is not known here",
        at: "\(path): signature_scheme", expected: "hmac-sha256", got: scheme,
        advice: "start Jupyter with --Session.signature_scheme=hmac-sha256")
    }
    self.path = path
    ip = try required("ip").string()
    key = Array(try required("key").string().utf8)
    var ports: [KernelChannel: Int] = [:]
    for channel in KernelChannel.allCases {
      let field = try required("\(channel.rawValue)_port")
      let port = try field.integer(in: 1...65_535)
      if let other = ports.first(where: { $0.value == port })?.key {
        throw LabError(
          .badData, "two sockets have the same port", at: field.place,
          expected: "another port than that of \(other.rawValue)_port", got: "\(port)",
          advice: advice)
      }
      ports[channel] = port
    }
    self.ports = ports
  }

  private static let limit = FileLimit("a connection file", bytes: 1 << 16)
}
