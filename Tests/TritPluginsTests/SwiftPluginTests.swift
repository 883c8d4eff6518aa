import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Plug-ins of Swift: compiled against the modules beside the program, checked in its child.
///
/// References of a plug-in are resolved by the program that loads it. The program of the tests is
/// linked as the command is, which it depends on.
@Suite struct SwiftPluginTests {
  /// A plug-in of one kernel whose function ends in `return expression`.
  private static func plugin(_ expression: String, before: String = "") -> String {
    """
    import TritLab
    \(before)
    func register(_ lab: inout Lab) throws {
      let mine = StageDescriptor("mine", summary: "one function", source: "a test")
      try lab.add(.kernel, mine) { _ in
        DotKernel("mine") { codes, x, columns in
          var sum: Int32 = 0
          for k in 0..<columns {
            let code = codes[k / 128 * 32 + k % 32] >> UInt8(k % 128 / 32 * 2) & 3
            sum += Int32(code) * Int32(x[k])
          }
          return \(expression)
        }
      }
    }

    """
  }

  @Test func aSoundKernelIsRegistered() throws {
    let test = try PluginCase()
    let path = try test.write(Self.plugin("sum"), to: "mine.swift")
    let plugin = try test.loader.loadSwift(path)
    #expect(plugin.wasCompiled && plugin.wasChecked)
    var lab = Lab.standard
    try plugin.register(into: &lab)
    #expect(lab.guests.map(\.descriptor.name) == ["mine"])
    let kernel = try lab.make(.kernel, StageChoice("mine"))
    let shapes = [WeightShape(3, 31), WeightShape(33, 256)]
    let violations = checkLinearKernel(kernel, shapes: shapes)
    #expect(violations.isEmpty, "\(violations)")
    let again = try test.loader.loadSwift(path)
    #expect(!again.wasCompiled && !again.wasChecked)
    #expect(again.digest == plugin.digest)
  }

  /// As `make install` lays it out: the program in bin, its modules in lib, no checkout.
  @Test func anInstalledProgramCompilesToo() throws {
    let root = try TemporaryFolder("installed")
    let files = FileManager.default
    for folder in ["/bin", "/lib/trit/modules"] {
      try files.createDirectory(atPath: root.path + folder, withIntermediateDirectories: true)
    }
    try files.copyItem(atPath: PluginCase.trit, toPath: root.file("bin/trit"))
    let modules = (PluginCase.trit as NSString).deletingLastPathComponent + "/Modules"
    for name in try FolderListing(modules).names
    where name.hasPrefix("Trit") && name.hasSuffix(".swiftmodule") && !name.contains("Tests") {
      try files.copyItem(
        atPath: modules + "/" + name, toPath: root.file("lib/trit/modules/" + name))
    }
    let test = try PluginCase(program: root.file("bin/trit"))
    let path = try test.write(Self.plugin("sum"), to: "mine.swift")
    let plugin = try test.loader.loadSwift(path)
    #expect(plugin.wasCompiled && plugin.wasChecked)
  }

  @Test func aWrongKernelIsTold() throws {
    let error = try Self.error(Self.plugin("sum + 1"))
    #expect(error.kind == .verdict, "\(error)")
    #expect(error.got?.contains("'mine'") == true, "\(error)")
  }

  @Test func aTrapHasItsLine() throws {
    let test = try PluginCase()
    let path = try test.write(
      Self.plugin(
        "trapped(sum)", before: "func trapped(_ n: Int32) -> Int32 { fatalError(\"enough\") }"),
      to: "mine.swift")
    let error = try #require(throws: LabError.self) { _ = try test.loader.loadSwift(path) }
    #expect(error.kind == .failure)
    #expect(error.what.contains("crashed"), "\(error)")
    #expect(error.place?.hasPrefix(path + ":") == true, "\(error)")
    #expect(error.got?.contains("enough") == true, "\(error)")
  }

  @Test func whatRegisterThrowsIsTold() throws {
    let text = """
      import TritLab
      func register(_ lab: inout Lab) throws {
        throw LabError(.usage, "not today")
      }
      """
    let error = try Self.error(text)
    #expect(error.what == "not today")
    #expect(error.kind == .usage)
  }

  @Test func aCompileErrorHasItsPlace() throws {
    let error = try Self.error(Self.plugin("undeclared"))
    #expect(error.place?.hasSuffix("mine.swift:12:14") == true, "\(error)")
    #expect(error.what.contains("cannot find 'undeclared' in scope"))
  }

  @Test func aFileWithoutRegisterIsTold() throws {
    let error = try Self.error("import TritLab\nlet nothing = 0\n")
    #expect(error.what == "the plug-in has no register that can be called", "\(error)")
  }

  @Test func modulesThatAreNotThereAreNamed() throws {
    let test = try PluginCase(program: "/bin/true")
    let path = try test.write(Self.plugin("sum"), to: "mine.swift")
    let error = try #require(throws: LabError.self) { _ = try test.loader.loadSwift(path) }
    #expect(error.kind == .missingInput)
    #expect(error.expected?.contains("/bin/Modules") == true)
    #expect(error.expected?.contains("/lib/trit/modules") == true)
  }

  @Test func languagesAreNotMixedUp() throws {
    let test = try PluginCase()
    let swift = try test.write(Self.plugin("sum"), to: "mine.swift")
    #expect(throws: LabError.self) { _ = try test.loader.load(swift) }
    #expect(throws: LabError.self) { _ = try test.loader.loadSwift(PluginCase.fixture("dot.c")) }
  }

  private static func error(_ text: String) throws -> LabError {
    let test = try PluginCase()
    let path = try test.write(text, to: "mine.swift")
    return try #require(throws: LabError.self) { _ = try test.loader.loadSwift(path) }
  }
}
