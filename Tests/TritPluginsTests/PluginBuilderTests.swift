import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Compilation: what is told of it, what is kept of it, and where.
@Suite struct PluginBuilderTests {
  /// The header that travels in the program is the one that editors and C compilers see.
  @Test func theHeaderIsTheFile() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sources/CTritPlugin/include/trit_kernel.h")
    #expect(PluginBuilder.header == (try String(contentsOf: file, encoding: .utf8)))
    // One page.
    #expect(PluginBuilder.header.split(separator: "\n").count < 90)
  }

  /// The digest is that of the file, as `sha256sum` (coreutils 9.1) gives it.
  @Test func theDigestIsThatOfTheFile() throws {
    let test = try PluginCase()
    let path = try test.write("int plugin;\n")
    let product = try test.loader.builder.build(path)
    #expect(
      product.digest == "2fabfd1eda19032563755dc63a29c1fde38f7b8b089b2125f9ae5f5ddef5708a")
  }

  @Test func whatWasCompiledIsFoundAgain() throws {
    let test = try PluginCase()
    let path = try test.write(PluginCase.plugin())
    let first = try test.loader.load(path)
    #expect(first.wasCompiled && first.wasChecked)
    let second = try test.loader.load(path)
    #expect(!second.wasCompiled && !second.wasChecked)
    #expect(second.digest == first.digest)
    _ = try test.write(PluginCase.plugin() + "// changed\n")
    let third = try test.loader.load(path)
    #expect(third.wasCompiled && third.wasChecked)
    #expect(third.digest != first.digest)
  }

  /// A helper that the file includes is part of it.
  @Test func aChangedIncludeCompilesAgain() throws {
    let test = try PluginCase()
    try test.folder.write("enum { HELP = 1 };\n", to: "he lp.h")
    let path = try test.write("#include \"he lp.h\"\n" + PluginCase.plugin())
    let first = try test.loader.load(path)
    #expect(!(try test.loader.load(path)).wasCompiled)
    try test.folder.write("enum { HELP = 2 };\n", to: "he lp.h")
    let second = try test.loader.load(path)
    #expect(second.wasCompiled && second.wasChecked)
    #expect(second.digest != first.digest)
    #expect(!(try test.loader.load(path)).wasCompiled)
  }

  @Test func warningsAreToldEachTime() throws {
    let test = try PluginCase()
    let path = try test.write(PluginCase.plugin(pack: "int unused = 1;"))
    for _ in 0..<2 {
      let warnings = try test.loader.load(path).warnings
      #expect(warnings.contains("mine.c:5:7: warning: unused variable 'unused'"), "\(warnings)")
      #expect(warnings.hasPrefix(path))
    }
  }

  @Test func cPlusPlusIsCompiledToo() throws {
    let test = try PluginCase()
    let text = PluginCase.plugin(top: "template <class T> T same(T x) { return x; }")
      .replacing("= packed", with: "= (int8_t *)packed")
      .replacing("= w->packed", with: "= (const int8_t *)same(w->packed)")
    let plugin = try test.loader.load(test.write(text, to: "mine.cpp"))
    #expect(plugin.kernels.map(\.descriptor.name) == ["mine"])
  }

  // MARK: What does not compile

  @Test func anErrorHasItsPlace() throws {
    let test = try PluginCase()
    let path = try test.write(PluginCase.plugin(multiply: "return 1 + undeclared;"))
    let error = try test.error(at: path)
    #expect(error.kind == .badData)
    #expect(error.place == "\(path):10:14")
    #expect(error.what.contains("does not compile"))
    #expect(error.what.contains("undeclared"))
    #expect(error.got?.contains("return 1 + undeclared;") == true)
    #expect(error.advice != nil)
    // Nothing half made stays.
    let names = try FolderListing(test.loader.builder.folder).names
    #expect(names.isEmpty, "\(names)")
  }

  @Test func severalErrorsAreTold() throws {
    let error = try PluginCase().error("int a = b;\nint c = d;\n")
    #expect(error.place?.hasSuffix("mine.c:1:9") == true)
    #expect(error.got?.contains("mine.c:2:9: ") == true)
  }

  /// What the file says comes through the compiler's message; it must not reach a terminal as it
  /// is.
  @Test func messagesAreEscaped() throws {
    let error = try PluginCase().error("#error \u{1B}[2J gone \u{202E} back\n")
    #expect(error.what.contains("[2J gone"))
    let shown = error.description.unicodeScalars
    #expect(!shown.contains { $0 != "\n" && VisibleText.isHidden($0) }, "\(error)")
  }

  @Test func aFunctionThatIsNowhereIsNamed() throws {
    let test = try PluginCase()
    let path = try test.write(
      PluginCase.plugin(multiply: "nowhere();", top: "void nowhere(void);"))
    let error = try test.error(at: path)
    #expect(error.kind == .badData)
    #expect(error.what.contains("nowhere"))
    #expect(error.place?.hasPrefix(path) == true)
  }

  @Test func otherFilesAreRefused() throws {
    let test = try PluginCase()
    #expect(try test.error("", name: "mine.rs").kind == .usage)
    #expect(try test.error(at: test.folder.file("absent.c")).kind == .missingInput)
    let large = try test.folder.write([UInt8](repeating: 0x20, count: 4 << 20 + 1), to: "large.c")
    #expect(try test.error(at: large).what == "too large for a plug-in")
  }

  @Test func noCompilerIsToldWithWhatToInstall() throws {
    let test = try PluginCase(path: "/nonexistent")
    let error = try test.error(PluginCase.plugin())
    #expect(error.kind == .missingInput)
    #expect(error.advice?.contains("apt-get install clang") == true)
  }

  /// Without swift on the PATH, `clang` and then `cc` of the PATH are taken; a compiler that fails
  /// without a message is named.
  @Test func theCompilerOfThePathIsTaken() throws {
    let tools = try TemporaryFolder("tools")
    let log = tools.file("log")
    try tools.write("#!/bin/sh\necho clang >> '\(log)'\nexit 3\n", to: "clang")
    try tools.write("#!/bin/sh\necho cc >> '\(log)'\nexit 3\n", to: "cc")
    for name in ["clang", "cc"] { chmod(tools.file(name), 0o755) }
    let test = try PluginCase(path: tools.path)
    let error = try test.error(PluginCase.plugin())
    #expect(error.kind == .failure)
    #expect(error.got?.contains("exit code 3") == true)
    try FileManager.default.removeItem(atPath: tools.file("clang"))
    _ = try test.error(PluginCase.plugin())
    #expect(try String(contentsOfFile: log, encoding: .utf8) == "clang\ncc\n")
  }

  // MARK: The folder

  @Test func theFolderIsTheOwnersAlone() throws {
    let test = try PluginCase()
    _ = try test.loader.load(PluginCase.fixture("minimal.c"))
    let folder = test.loader.builder.folder
    #expect(try Self.rights(folder) == 0o700)
    chmod(folder, 0o755)
    let error = try test.error(at: PluginCase.fixture("minimal.c"))
    #expect(error.kind == .badData)
    #expect(error.got?.contains("755") == true)
    #expect(error.advice == "remove it, it is made again: rm -r '\(folder)'")
    try FileManager.default.removeItem(atPath: folder)
    #expect(try test.loader.load(PluginCase.fixture("minimal.c")).wasCompiled)
  }

  @Test func linksAndFilesAreNoFolder() throws {
    let test = try PluginCase()
    let folder = test.loader.builder.folder
    let elsewhere = try TemporaryFolder("elsewhere")
    chmod(elsewhere.path, 0o700)
    symlink(elsewhere.path, folder)
    #expect(try test.error(at: PluginCase.fixture("minimal.c")).got == "a link")
    #expect(try elsewhere.names().isEmpty)
    unlink(folder)
    try test.folder.write("", to: "cache")
    #expect(try test.error(at: PluginCase.fixture("minimal.c")).got == "no folder")
  }

  @Test func aFolderThatOthersMayReplaceIsRefused() throws {
    let test = try PluginCase()
    chmod(test.folder.path, 0o777)
    let error = try test.error(at: PluginCase.fixture("minimal.c"))
    #expect(error.what.contains("others may replace"))
    chmod(test.folder.path, 0o755)
    #expect(try test.loader.load(PluginCase.fixture("minimal.c")).wasCompiled)
  }

  @Test(.enabled(if: geteuid() == 0)) func aFolderOfSomebodyElseIsRefused() throws {
    let test = try PluginCase()
    let folder = test.loader.builder.folder
    mkdir(folder, 0o700)
    chown(folder, 12_345, 12_345)
    let error = try test.error(at: PluginCase.fixture("minimal.c"))
    #expect(error.got?.contains("user 12345") == true)
  }

  /// A library that others may have written is compiled again, not loaded.
  @Test func anOpenLibraryIsNotLoaded() throws {
    let test = try PluginCase()
    let path = PluginCase.fixture("minimal.c")
    let product = try test.loader.builder.build(path)
    chmod(product.library, 0o777)
    #expect(try test.loader.builder.build(path).isFresh)
    #expect(try Self.rights(product.library) == 0o700)
    #expect(!(try test.loader.builder.build(path).isFresh))
  }

  /// The folder does not grow without end: the libraries unused longest go, with all that belongs
  /// to them, and what a killed compilation has left.
  @Test func theFolderIsBounded() throws {
    let test = try PluginCase()
    let path = PluginCase.fixture("minimal.c")
    let product = try test.loader.builder.build(path)
    let folder = test.loader.builder.folder
    let files = FileManager.default
    func make(_ name: String, hoursAgo: Int) throws {
      let date = Date(timeIntervalSinceNow: Double(-3600 * hoursAgo))
      try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
      try files.setAttributes([.modificationDate: date], ofItemAtPath: folder + "/" + name)
    }
    for number in 0..<70 {
      try make("old\(number).so", hoursAgo: 100 + number)
      try make("old\(number).json", hoursAgo: 1)
    }
    try files.createDirectory(atPath: folder + "/build-left", withIntermediateDirectories: true)
    try files.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: folder + "/build-left")
    _ = try test.loader.builder.build(test.write(PluginCase.plugin()))
    let names = try FolderListing(folder).names
    #expect(names.count { $0.hasSuffix(".so") } == 64)
    #expect(!names.contains("build-left"))
    #expect(names.contains("old61.so") && names.contains("old61.json"))
    #expect(!names.contains("old62.so") && !names.contains("old62.json"))
    #expect(files.fileExists(atPath: product.library))
  }

  private static func rights(_ path: String) throws -> Int {
    let found = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
    return try #require(found as? Int)
  }
}
