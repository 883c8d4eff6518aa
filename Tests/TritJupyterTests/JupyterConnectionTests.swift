import Foundation
import Testing
import TritCore
import TritJupyter
import _TritTestSupport

@Suite struct JupyterConnectionTests {
  /// As jupyter_client 8.10 writes it.
  static let file = """
    {"shell_port": 50001, "iopub_port": 50002, "stdin_port": 50003, "control_port": 50004,
     "hb_port": 50005, "ip": "127.0.0.1", "key": "5f3c", "transport": "tcp",
     "signature_scheme": "hmac-sha256", "kernel_name": "trit", "jupyter_session": "a.ipynb"}
    """

  static func read(_ text: String) throws -> JupyterConnection {
    let folder = try TemporaryFolder()
    return try JupyterConnection(path: try folder.write(text, to: "kernel-1.json"))
  }

  @Test func readsWhatJupyterWrites() throws {
    let connection = try Self.read(Self.file)
    #expect(connection.ip == "127.0.0.1" && connection.isSigned)
    #expect(try !Self.read(Self.file.replacing("5f3c", with: "")).isSigned)
  }

  @Test(arguments: [
    (#""tcp""#, #""ipc""#, "transport 'ipc'", "--KernelManager.transport=tcp"),
    ("hmac-sha256", "hmac-md5", "scheme 'hmac-md5'", "--Session.signature_scheme=hmac-sha256"),
    (
      #""kernel_name""#, #""curve_publickey": "x", "kernel_name""#, "CurveZMQ",
      "without encryption"
    ),
    (#""key": "5f3c", "#, "", "'key' is missing", "let Jupyter write it"),
    (#""hb_port": 50005, "#, "", "'hb_port' is missing", "let Jupyter write it"),
    ("50005", "50004", "same port", "let Jupyter write it"),
    ("50005", "0", "out of range", "1…65535"), ("50005", "70000", "out of range", "1…65535"),
    ("50005", #""50005""#, "wrong type", "hb_port"),
  ])
  func refusesWhatIsNotSpokenAndSaysWhatToDo(
    old: String, new: String, what: String, help: String
  ) throws {
    let error = #expect(throws: LabError.self) {
      try Self.read(Self.file.replacing(old, with: new))
    }
    let text = error?.description ?? ""
    #expect(error?.kind == .badData && text.contains(what) && text.contains(help), "\(text)")
  }

  @Test func refusesWhatIsNoConnectionFile() throws {
    for text in ["", "[]", "{", "connection"] {
      #expect(throws: LabError.self) { try Self.read(text) }
    }
    let error = #expect(throws: LabError.self) { try JupyterConnection(path: "/no/such/file") }
    #expect(error?.kind == .missingInput)
  }

  @Test func refusesAPortInUseAndAnAddressOfOthers() throws {
    let first = try JupyterKernel(
      connection: JupyterConnection(key: "k"), executor: FakeExecutor())
    let taken = first.ports[.control] ?? 0
    let error = #expect(throws: LabError.self) {
      try JupyterKernel(
        connection: JupyterConnection(ports: [.control: taken], key: "k"), executor: FakeExecutor())
    }
    #expect(error?.kind == .cannotCreate)
    #expect(error?.description.contains("control socket") == true)
    #expect(error?.got == "127.0.0.1:\(taken)")
    #expect(error?.advice?.contains("another program has the port") == true)
    for ip in ["203.0.113.7", "no address"] {
      #expect(throws: LabError.self) {
        try JupyterKernel(
          connection: JupyterConnection(ip: ip, key: "k"), executor: FakeExecutor())
      }
    }
  }
}
