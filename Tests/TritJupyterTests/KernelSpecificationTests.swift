import Foundation
import Testing
import TritCore
import TritFormats
import TritJupyter
import _TritTestSupport

@Suite struct KernelSpecificationTests {
  @Test func writesWhatJupyterReadsAndRemovesIt() throws {
    let folder = try TemporaryFolder()
    let kernel = try KernelSpecification(data: folder.path)
    #expect(kernel.folder == folder.path + "/kernels/trit")
    for _ in 0..<2 {
      try kernel.install(program: "/opt/a b/trit", displayName: "TritLab (Swift)")
      let document = try JSONReader.readFile(kernel.folder + "/kernel.json")
      #expect(
        document["argv"] == ["/opt/a b/trit", "notebook", "kernel", "{connection_file}"])
      #expect(document["display_name"] == "TritLab (Swift)")
      #expect(document["language"] == "swift" && document["interrupt_mode"] == "message")
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: kernel.folder).sorted()
        == ["kernel.json", "logo-svg.svg"])
    try kernel.remove()
    #expect(!FileManager.default.fileExists(atPath: kernel.folder))
    let error = #expect(throws: LabError.self) { try kernel.remove() }
    #expect(error?.kind == .missingInput)
  }

  @Test(arguments: [#"{"display_name": "Another", "argv": ["x"]}"#, "no JSON", ""])
  func leavesKernelsOfOthersAlone(text: String) throws {
    let folder = try TemporaryFolder()
    let kernel = try KernelSpecification(name: "mine", data: folder.path)
    try FileManager.default.createDirectory(
      atPath: kernel.folder, withIntermediateDirectories: true)
    let file = kernel.folder + "/kernel.json"
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    let error = #expect(throws: LabError.self) {
      try kernel.install(program: "/trit", displayName: "x")
    }
    #expect(error?.code == .duplicateName && error?.advice?.contains("--name") == true)
    #expect(throws: LabError.self) { try kernel.remove() }
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == Data(text.utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: kernel.folder) == ["kernel.json"])
  }

  @Test func keepsWhatOthersPutIntoItsFolder() throws {
    let folder = try TemporaryFolder()
    let kernel = try KernelSpecification(data: folder.path)
    try kernel.install(program: "/trit", displayName: "x")
    try Data("a".utf8).write(to: URL(fileURLWithPath: kernel.folder + "/kernel.js"))
    try kernel.remove()
    #expect(try FileManager.default.contentsOfDirectory(atPath: kernel.folder) == ["kernel.js"])
  }

  @Test(arguments: ["", "A", "a/b", "..", ".a", "ä", "a b", String(repeating: "a", count: 65)])
  func refusesNamesThatJupyterDoesNotTake(name: String) {
    #expect(throws: LabError.self) { try KernelSpecification(name: name, data: "/d") }
  }

  /// jupyter_core's paths: the variable, then XDG's, then the home folder.
  @Test func findsThePlaceWhereJupyterLooks() {
    #if !os(macOS)
      let home = ["HOME": "/h"]
      #expect(KernelSpecification.userData(home) == "/h/.local/share/jupyter")
      let data = home.merging(["XDG_DATA_HOME": "/x"]) { $1 }
      #expect(KernelSpecification.userData(data) == "/x/jupyter")
      let own = data.merging(["JUPYTER_DATA_DIR": "/j"]) { $1 }
      #expect(KernelSpecification.userData(own) == "/j")
      #expect(KernelSpecification.userData(["HOME": "relative"]) == nil)
    #endif
    #expect(KernelSpecification.data(below: "/usr/local") == "/usr/local/share/jupyter")
    #expect(KernelSpecification.data(below: "/") == "/share/jupyter")
  }
}
