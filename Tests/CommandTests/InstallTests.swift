import Foundation
import Testing
import _TritTestSupport

/// `make install` and `make uninstall`: the program works away from the checkout, and goes without
/// a trace.
@Suite struct InstallTests {
  let folder: TemporaryFolder
  var root: String { folder.file("opt") }

  init() throws { folder = try TemporaryFolder("install") }

  private func script(
    _ words: String..., environment: [String: String] = [:], from place: String? = nil
  ) throws -> CommandResult {
    let list = words.map { "'\($0)'" }.joined(separator: " ")
    return try CommandRunner.shell(
      "cd '\(place ?? StubMachine.checkout)' && '\(StubMachine.checkout)/Scripts/install.sh' \(list)",
      environment: environment)
  }

  private func install(_ environment: [String: String] = [:]) throws -> CommandResult {
    try script("install", CommandRunner.path, root, environment: environment)
  }

  /// Everything below a folder: paths, with what files hold.
  private func listing(_ path: String) throws -> [String: Data?] {
    guard let names = FileManager.default.enumerator(atPath: path) else { return [:] }
    var result: [String: Data?] = [:]
    for case let name as String in names {
      result[name] = FileManager.default.contents(atPath: path + "/" + name)
    }
    return result
  }

  @Test func theInstalledProgramNeedsNothingElse() throws {
    let installed = try install()
    #expect(installed.status == 0, "\(installed)")
    #expect(installed.out.contains("export PATH=\"\(root)/bin:$PATH\""), "\(installed)")
    let program = root + "/bin/trit"
    // From any folder, by a link to it, with what lies beside it.
    let link = folder.file("linked")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: program)
    for path in [program, link] {
      let inspected = try CommandRunner.shell("cd / && '\(path)' inspect builtin:tiny --no-tensors")
      #expect(inspected.status == 0, "\(inspected)")
      #expect(inspected.out.hasPrefix("* \(root)/share/trit/models/tiny/"), "\(inspected)")
      let told = try CommandRunner.shell(
        "cd / && '\(path)' generate -m builtin:tiny -p 'Once upon a time' -n 4 -t 1")
      #expect(told.status == 0 && !told.out.isEmpty, "\(told)")
    }
    // Figures are drawn by the templates that were installed.
    let style = root + "/share/trit/plots/style.gp"
    let text = try String(contentsOfFile: style, encoding: .utf8)
    try Data(("# ours\n" + text).utf8).write(to: URL(fileURLWithPath: style))
    let run = try CommandRunner.shell(
      "cd / && '\(link)' run '\(root)/share/trit/experiments/energy.yaml' -q "
        + "-o '\(folder.file("runs"))' --set measure.energy.tokens=0 -t 1")
    #expect(run.status == 0, "\(run)")
    let directory = run.out.trimmingCharacters(in: .newlines)
    #expect(
      try String(contentsOfFile: directory + "/plots/style.gp", encoding: .utf8)
        .hasPrefix("# ours\n"))
  }

  /// What a program says of its commit is that of the checkout, even inside somebody's own
  /// repository.
  @Test func theCommitIsThatOfTheCheckout() throws {
    #expect(try CommandRunner.shell("git init -q '\(folder.path)'").status == 0)
    #expect(try install().status == 0)
    let commit = { (path: String) in
      try CommandRunner.shell("'\(path)' --version | grep '^commit: '").out
    }
    let installed = try commit(root + "/bin/trit")
    #expect(try installed == commit(CommandRunner.path))
    #expect(installed.hasPrefix("commit: "))
  }

  private static let canHide: Bool = {
    let result = try? CommandRunner.shell(
      "unshare -m sh -c 'mount -t tmpfs none \"\(StubMachine.checkout)\"'")
    return result?.status == 0
  }()

  /// The checkout is hidden by an empty file system that only this process sees.
  @Test(.enabled(if: canHide, "file systems cannot be mounted here"))
  func theCheckoutMayGo() throws {
    #expect(try install().status == 0)
    let result = try CommandRunner.shell(
      "unshare -m sh -c 'mount -t tmpfs none \"\(StubMachine.checkout)\" && cd / && "
        + "ls -A \"\(StubMachine.checkout)\" && \"\(root)/bin/trit\" generate -m builtin:tiny -p Once "
        + "-n 3 -t 1 && \"\(root)/bin/trit\" run \"\(root)/share/trit/experiments/scaling.yaml\" "
        + "-q -o \"\(folder.file("runs"))\"'")
    #expect(result.status == 0, "\(result)")
    #expect(result.out.contains(folder.file("runs") + "/scaling/"), "\(result)")
    #expect(!result.err.contains("were not found"), "\(result)")
  }

  @Test func uninstallLeavesNothingAndTakesNothingElse() throws {
    #expect(try install().status == 0)
    #expect(try script("uninstall", root).status == 0)
    #expect(!FileManager.default.fileExists(atPath: root))
    // What was there before, and what came later, stays as it was.
    for path in ["bin", "share/empty", "share/trit/models/mine", "share/zsh/site-functions"] {
      try FileManager.default.createDirectory(
        atPath: root + "/" + path, withIntermediateDirectories: true)
    }
    for path in ["bin/other", "share/zsh/site-functions/_other", "share/trit/models/mine/note"] {
      try Data("ours".utf8).write(to: URL(fileURLWithPath: root + "/" + path))
    }
    let before = try listing(root)
    #expect(try install().status == 0)
    // A second install is an update: it neither fails nor forgets which folders were made.
    #expect(try install().status == 0)
    #expect(try listing(root).count > before.count + 40)
    let removed = try script("uninstall", root)
    #expect(removed.status == 0, "\(removed)")
    #expect(try listing(root) == before)
    let again = try script("uninstall", root)
    #expect(again.status == 1 && again.err.contains("there is no trit of 'make install'"))
  }

  @Test func filesOfOthersAreNotOverwritten() throws {
    try FileManager.default.createDirectory(
      atPath: root + "/bin", withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: URL(fileURLWithPath: root + "/bin/trit"))
    let before = try listing(root)
    let result = try install()
    #expect(result.status == 1, "\(result)")
    #expect(result.err.contains("in the way: \(root)/bin/trit"), "\(result)")
    #expect(try listing(root) == before)
  }

  /// Files that a newer version lacks go with the update.
  @Test func updatesRemoveWhatIsNoMore() throws {
    #expect(try install().status == 0)
    let manifest = root + "/share/trit/manifest"
    let list = try String(contentsOfFile: manifest, encoding: .utf8)
    try Data((list + "f share/trit/plots/old.gp\n").utf8).write(to: URL(fileURLWithPath: manifest))
    try Data("old".utf8).write(to: URL(fileURLWithPath: root + "/share/trit/plots/old.gp"))
    #expect(try install().status == 0)
    #expect(!FileManager.default.fileExists(atPath: root + "/share/trit/plots/old.gp"))
    // A list that leads out of the folder is not followed.
    try folder.write("keep", to: "outside")
    try Data((list + "f ../outside\n").utf8).write(to: URL(fileURLWithPath: manifest))
    let result = try script("uninstall", root)
    #expect(result.status == 1 && result.err.contains("damaged"), "\(result)")
    #expect(FileManager.default.fileExists(atPath: folder.file("outside")))
  }

  @Test func packagesAreBuiltBelowDestdir() throws {
    let stage = folder.file("stage")
    let result = try script(
      "install", CommandRunner.path, "/usr", environment: ["DESTDIR": stage])
    #expect(result.status == 0, "\(result)")
    let files = try listing(stage)
    #expect(files["usr/bin/trit"] != nil && files["usr/share/trit/plots/style.gp"] != nil)
    // What plug-ins are compiled with.
    #expect(files["usr/include/trit_kernel.h"] != nil)
    for module in ["TritCore", "TritKernels", "TritPlugins", "TritLab"] {
      #expect(files["usr/lib/trit/modules/\(module).swiftmodule"] != nil)
    }
    let manifest = try String(contentsOfFile: stage + "/usr/share/trit/manifest", encoding: .utf8)
    #expect(!manifest.contains("stage"))
    let removed = try script("uninstall", "/usr", environment: ["DESTDIR": stage])
    let left = try listing(stage)
    #expect(removed.status == 0 && left.isEmpty, "\(removed)")
  }

  @Test func prefixesWithBlanksAndTildesAndRelativeOnes() throws {
    for (prefix, place) in [
      ("with blanks", folder.file("with blanks")), ("~/local", folder.file("home/local")),
    ] {
      let home = ["HOME": folder.file("home")]
      let result = try script(
        "install", CommandRunner.path, prefix, environment: home, from: folder.path)
      #expect(result.status == 0, "\(result)")
      #expect(FileManager.default.isExecutableFile(atPath: place + "/bin/trit"), "\(result)")
      #expect(
        try script("uninstall", prefix, environment: home, from: folder.path).status == 0)
      #expect(!FileManager.default.fileExists(atPath: place))
    }
    #expect(try script("install", CommandRunner.path, "").status == 1)
    #expect(try script("install", "/no/trit", root).err.contains("make build"))
  }

  @Test func aFullDiskIsToldBeforeAnythingIsWritten() throws {
    let machine = try StubMachine()
    try machine.stub("df", "echo Filesystem; echo '/dev/sda1 100000 90000 9000 99% /'")
    try FileManager.default.createDirectory(
      atPath: folder.file("tools"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: machine.folder.file("bin/df"), toPath: folder.file("tools/df"))
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let result = try install(["PATH": folder.file("tools") + ":" + path])
    #expect(result.status == 1 && result.err.contains("the disk is full"), "\(result)")
    #expect(result.err.contains("free: 8 MB"), "\(result)")
    #expect(!FileManager.default.fileExists(atPath: root))
  }

  @Test func pagesAreWhereManLooks() throws {
    #expect(try install().status == 0)
    let pages = try FileManager.default.contentsOfDirectory(atPath: root + "/share/man/man1")
    #expect(Set(pages) == Set(["trit.1"] + HelpTests.commands.map { "trit-\($0).1" }))
    let text = try String(contentsOfFile: root + "/share/man/man1/trit-run.1", encoding: .utf8)
    #expect(try text == CommandRunner.run(["help", "--man", "run"]).out)
    guard StubMachine.find("man") != nil else { return }
    let shown = try CommandRunner.shell("man -M '\(root)/share/man' trit | cat")
    #expect(shown.status == 0 && shown.out.contains("trit-generate(1)"), "\(shown)")
  }

  @Test func completionsAreWhereShellsLook() throws {
    #expect(try install().status == 0)
    for (shell, path) in [
      ("bash", "bash-completion/completions/trit"), ("zsh", "zsh/site-functions/_trit"),
      ("fish", "fish/vendor_completions.d/trit.fish"),
    ] {
      let text = try String(contentsOfFile: root + "/share/" + path, encoding: .utf8)
      #expect(try text == CommandRunner.run(["completions", shell]).out)
      guard StubMachine.find(shell) != nil else { continue }
      let read = try CommandRunner.shell("\(shell) -n '\(root)/share/\(path)'")
      #expect(read.status == 0 && read.err.isEmpty, "\(shell): \(read)")
    }
  }
}
