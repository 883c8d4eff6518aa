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
    #expect(error.kind == .verdict && error.code == .brokenLaw, "\(error)")
    #expect(error.got?.contains("'mine'") == true, "\(error)")
  }

  @Test func aTrapHasItsLine() throws {
    let test = try PluginCase()
    let path = try test.write(
      Self.plugin(
        "trapped(sum)", before: "func trapped(_ n: Int32) -> Int32 { fatalError(\"enough\") }"),
      to: "mine.swift")
    let error = try #require(throws: LabError.self) { _ = try test.loader.loadSwift(path) }
    #expect(error.kind == .failure && error.code == .crashed)
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

  /// The program of the child takes plug-ins of the whole `Lab`; the loader says that they register
  /// kernels alone.
  @Test func anotherEntryThanTheChildsIsTold() throws {
    let test = try PluginCase()
    let path = try test.write(
      "import TritLab\nfunc register(_ kernels: inout Registry<any LinearKernel>) throws {}\n",
      to: "mine.swift")
    let loader = PluginLoader(
      folder: test.folder.path + "/cache", program: PluginCase.trit, seconds: 60, swift: .kernels)
    let error = try #require(throws: LabError.self) { _ = try loader.loadSwift(path) }
    #expect(error.kind == .usage && error.code == .notBuilt, "\(error)")
    #expect(error.place == path)
    #expect(error.expected == "register(_: inout TritCore.Lab)", "\(error)")
    #expect(
      error.got == "register(_: inout TritCore.Registry<TritKernels.LinearKernel>)", "\(error)")
  }

  /// Memory of one type is never given to code for another, in the process of the loader either.
  @Test func anotherTypeThanTheLoadersIsTold() throws {
    let test = try PluginCase()
    let path = try test.write(Self.plugin("sum"), to: "mine.swift")
    let plugin = try test.loader.loadSwift(path)
    var kernels = Registry<any LinearKernel>(.kernel)
    let error = try #require(throws: LabError.self) { try plugin.register(into: &kernels) }
    #expect(error.expected?.contains("Registry<") == true, "\(error)")
    #expect(error.got == "register(_: inout TritCore.Lab)", "\(error)")
    #expect(kernels.names.isEmpty)
    var lab = Lab.standard
    try plugin.register(into: &lab)
    #expect(lab.kind(.kernel)?.descriptor("mine") != nil)
  }

  /// One file for two entries makes two libraries, and neither is taken for the other.
  @Test func theEntryIsPartOfTheKey() throws {
    let test = try PluginCase()
    let path = try test.write(
      "import TritLab\nfunc register<T>(_ anything: inout T) throws {}\n", to: "mine.swift")
    let folder = test.folder.path + "/cache"
    let entries = [SwiftEntry.kernels, LabPlugins.entry()]
    let products = try entries.map {
      try PluginBuilder(folder: folder, program: PluginCase.trit, swift: $0).build(path)
    }
    #expect(products.map(\.isFresh) == [true, true])
    #expect(products[0].library != products[1].library)
    let again = try PluginBuilder(folder: folder, program: PluginCase.trit, swift: .kernels)
      .build(path)
    #expect(!again.isFresh && again.library == products[0].library)
  }

  @Test func aCompileErrorHasItsPlace() throws {
    let error = try Self.error(Self.plugin("undeclared"))
    #expect(error.place?.hasSuffix("mine.swift:12:14") == true, "\(error)")
    #expect(error.what.contains("cannot find 'undeclared' in scope"))
    #expect(error.code == .notBuilt)
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
