import Foundation
import Testing
import _TritTestSupport

/// `make demo` and `make test` on machines that lack something: what is missing, why, and what to
/// type.
@Suite struct SetupScriptTests {
  let machine: StubMachine

  init() throws { machine = try StubMachine() }

  private func expect(
    _ result: CommandResult, fails words: [String], location: SourceLocation = #_sourceLocation
  ) {
    #expect(result.status == 1 && result.out.isEmpty, "\(result)", sourceLocation: location)
    for word in words {
      #expect(result.err.contains(word), "\(word): \(result)", sourceLocation: location)
    }
  }

  private func expectSilent(
    _ result: CommandResult, location: SourceLocation = #_sourceLocation
  ) {
    #expect(
      result.status == 0 && result.out.isEmpty && result.err.isEmpty, "\(result)",
      sourceLocation: location)
  }

  // MARK: The toolchain

  private func toolchain(_ words: String...) throws -> CommandResult {
    try words.isEmpty
      ? machine.run("Scripts/check-toolchain.sh")
      : machine.run("Scripts/check-toolchain.sh", words[0])
  }

  @Test func withoutSwiftTheInstallerIsNamed() throws {
    expect(
      try toolchain(),
      fails: [
        "error: there is no Swift toolchain: the command 'swift' was not found", "6.2 or newer",
        "curl -O https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz",
        "./swiftly init", "Then: make demo", "make demo SWIFT=/PATH/TO/usr/bin/swift",
      ])
    expect(try toolchain("/opt/swift/swift"), fails: ["the command '/opt/swift/swift' was not"])
    try machine.stub("uname", "echo Darwin")
    expect(try toolchain(), fails: ["swiftly/darwin/swiftly.pkg", "installer -pkg swiftly.pkg"])
    try machine.stub("uname", "echo MINGW64_NT-10.0")
    expect(try toolchain(), fails: ["wsl --install -d Ubuntu"])
  }

  @Test func systemsWithoutThatInstallerAreToldApart() throws {
    try machine.stub("apk", "exit 1")
    expect(try toolchain(), fails: ["Alpine", "musl", "docker run --rm -it", "swift:6.2"])
    let arch = try StubMachine()
    try arch.stub("pacman", "exit 1")
    let result = try arch.run("Scripts/check-toolchain.sh")
    expect(result, fails: ["https://aur.archlinux.org/swift-bin.git", "makepkg -si"])
  }

  @Test(arguments: ["5.10.1", "5.9", "6.1.3", "6.0"])
  func olderToolchainsAreNamedWithTheirVersion(version: String) throws {
    try machine.swift(version)
    expect(
      try toolchain(),
      fails: ["error: Swift \(version) is too old", "6.2 or newer", "bin/swift", "./swiftly init"])
    try machine.stub("swiftly", "exit 0")
    expect(try toolchain(), fails: ["swiftly install latest", "swiftly use latest"])
  }

  @Test(arguments: ["6.2", "6.2.3", "6.10", "6.10.1", "7.0", "10.1"])
  func newEnoughToolchainsSayNothing(version: String) throws {
    try machine.swift(version)
    expectSilent(try toolchain())
    try machine.stub(
      "swift",
      "echo 'swift-driver version: 1.127.14 Apple Swift version \(version) (swiftlang-\(version))'")
    expectSilent(try toolchain())
  }

  @Test func brokenToolchainsSayWhatTheySay() throws {
    try machine.stub(
      "swift",
      "echo 'swift: error while loading shared libraries: libxml2.so.2: no such file' >&2; exit 127"
    )
    expect(try toolchain(), fails: ["does not run", "it says: swift: error while", "libxml2.so.2"])
    try machine.stub(
      "swift", "echo 'xcrun: error: invalid active developer path (/Library)' >&2; exit 1")
    expect(try toolchain(), fails: ["xcode-select --install"])
    try machine.stub("swift", "echo 'OpenStack Swift client'")
    expect(try toolchain(), fails: ["cannot tell the version", "got: OpenStack Swift client"])
  }

  /// Alpine and minimal images have no bash, and the first script must be able to say so.
  @Test func withoutBashThatIsTold() throws {
    try FileManager.default.removeItem(atPath: machine.folder.file("bin/bash"))
    expect(try toolchain(), fails: ["there is no Swift toolchain"])
    try machine.swift("6.3")
    expect(try toolchain(), fails: ["error: there is no bash", "then: make demo"])
  }

  // MARK: Libraries and tools

  private func dependencies() throws -> CommandResult {
    try machine.run("Scripts/install-dependencies.sh")
  }

  private let all = "pkg-config libopenblas-dev libyaml-dev gnuplot-nox"

  @Test func whatIsThereIsLeftInPeace() throws {
    try machine.libraries()
    for tool in ["apt-get", "sudo", "dnf", "brew"] {
      try machine.stub(tool, "touch \"$HERE/was-run\"; exit 1")
    }
    expectSilent(try dependencies())
    try machine.stub("uname", "echo Darwin")
    expectSilent(try dependencies())
    #expect(!FileManager.default.fileExists(atPath: machine.folder.file("was-run")))
  }

  @Test(
    arguments: [
      ("dnf", "sudo dnf install pkgconf-pkg-config openblas-devel libyaml-devel gnuplot"),
      ("pacman", "sudo pacman -S --needed pkgconf openblas libyaml gnuplot"),
      ("apk", "sudo apk add pkgconf openblas-dev yaml-dev gnuplot"),
    ])
  func otherSystemsGetTheirOwnCommand(manager: String, command: String) throws {
    try machine.stub(manager, "touch \"$HERE/was-run\"")
    expect(try dependencies(), fails: ["error: missing: pkg-config", command, "  make demo"])
    try machine.stub("id", "echo 0")
    expect(try dependencies(), fails: ["  " + command.dropFirst("sudo ".count)])
    #expect(!FileManager.default.fileExists(atPath: machine.folder.file("was-run")))
    // Only what is missing is named.
    try machine.libraries()
    try machine.stub("pkg-config", "[ \"$2\" = openblas ]")
    let one = try dependencies()
    expect(one, fails: ["missing: libyaml"])
    #expect(!one.err.contains("openblas-de") && !one.err.contains("gnuplot"), "\(one)")
  }

  @Test func systemsOfUnknownKindAreToldWhatIsLookedFor() throws {
    expect(try dependencies(), fails: ["package manager", "pkg-config --exists openblas yaml-0.1"])
    try machine.stub("uname", "echo FreeBSD")
    expect(try dependencies(), fails: ["FreeBSD", "pkg-config --exists openblas yaml-0.1"])
  }

  @Test func macOSGetsHomebrewAndWhereOpenBLASIs() throws {
    try machine.stub("uname", "echo Darwin")
    // An apt-get of some other collection of packages is not asked.
    try machine.stub("apt-get", "touch \"$HERE/was-run\"")
    let bare = try dependencies()
    expect(bare, fails: ["https://brew.sh", "Homebrew/install/HEAD/install.sh", "brew install"])
    try machine.stub("brew", "exit 0")
    let result = try dependencies()
    expect(
      result,
      fails: [
        "brew install pkg-config openblas libyaml gnuplot", "PKG_CONFIG_PATH",
        "brew --prefix openblas", "make demo",
      ])
    #expect(!result.err.contains("brew.sh"))
    #expect(!FileManager.default.fileExists(atPath: machine.folder.file("was-run")))
  }

  @Test func withoutRightsTheCommandForRootIsNamed() throws {
    try machine.stub("apt-get", "touch \"$HERE/was-run\"")
    expect(
      try dependencies(),
      fails: ["You are not root, and there is no sudo", "apt-get install \(all)", "make demo"])
    #expect(!FileManager.default.fileExists(atPath: machine.folder.file("was-run")))
  }

  /// apt-get, run through a sudo that lets everything pass, says `text` and fails.
  private func failing(_ text: String, update: String = "") throws {
    try machine.stub("sudo", "\"$@\"")
    try machine.stub(
      "apt-get",
      """
      echo "$*" >> "$HERE/calls"
      case "$*" in
        *update*) echo "\(update)"; exit 0 ;;
        *) echo "\(text)"; exit 100 ;;
      esac
      """)
  }

  @Test func sudoThatRefusesIsNotAptThatFails() throws {
    try machine.stub("apt-get", "exit 0")
    for words in [
      "sudo: a terminal is required to read the password; either use the -S option",
      "sudo: a password is required", "ada is not in the sudoers file.",
      "Sorry, user ada is not allowed to execute '/usr/bin/env' as root on lab.",
    ] {
      try machine.stub("sudo", "echo \"\(words)\" >&2; exit 1")
      expect(try dependencies(), fails: ["sudo refused", "apt-get install \(all)", "make demo"])
    }
  }

  @Test func aLockThatIsHeldIsWaitedForThenNamed() throws {
    try failing(
      "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4242 (unattended-upgr)"
    )
    expect(
      try dependencies(), fails: ["Another program is installing", "4242", "then: make demo"])
    #expect(machine.said("calls").count == 1)
    #expect(machine.said("calls")[0].contains("DPkg::Lock::Timeout="))
  }

  @Test func aFullDiskIsNamed() throws {
    for words in [
      "E: You don't have enough free space in /var/cache/apt/archives/.",
      "dpkg: error: cannot copy extracted data: failed to write (No space left on device)",
    ] {
      try failing(words)
      expect(
        try dependencies(),
        fails: ["The disk is full", "df -h / /var/cache/apt", "sudo apt-get clean", "make demo"])
    }
  }

  @Test func offlineIsToldWithWhatToTypeLater() throws {
    // apt-get update ends well without a network; the install after it does not.
    try failing(
      "E: Unable to locate package libopenblas-dev",
      update:
        "W: Failed to fetch http://deb.debian.org/x  Temporary failure resolving 'deb.debian.org'")
    expect(
      try dependencies(),
      fails: [
        "There is no network", "Temporary failure resolving 'deb.debian.org'",
        "sudo apt-get update", "sudo apt-get install \(all)", "make demo",
      ])
    try failing("E: Failed to fetch http://x/y.deb  Could not connect to x:80 (10.0.0.1)")
    expect(try dependencies(), fails: ["There is no network", "Could not connect"])
  }

  @Test func packagesThatTheListsLackAreTold() throws {
    try failing("E: Unable to locate package libopenblas-dev")
    expect(try dependencies(), fails: ["package lists do not have them", "universe"])
    try failing("E: dpkg was interrupted, you must manually run 'dpkg --configure -a'")
    expect(
      try dependencies(),
      fails: ["its last words: E: dpkg was interrupted", "dpkg --configure -a", "sudo apt-get"])
  }

  @Test func oldListsAreFetchedOnce() throws {
    try machine.stub("id", "echo 0")
    try machine.stub(
      "apt-get",
      """
      echo "$*" >> "$HERE/calls"
      case "$*" in
        *update*) touch "$HERE/fresh" ;;
        *install*)
          [ -e "$HERE/fresh" ] || { echo 'E: Unable to locate package libyaml-dev'; exit 100; }
          for tool in pkg-config gnuplot; do
            printf '#!/bin/sh\\n' > "$HERE/bin/$tool"; chmod 755 "$HERE/bin/$tool"
          done ;;
      esac
      """)
    let result = try dependencies()
    #expect(result.status == 0, "\(result)")
    let calls = machine.said("calls")
    #expect(calls.count == 3 && calls[1].hasSuffix("update --quiet"), "\(calls)")
    #expect(calls[2].contains("install --yes") && calls[2].hasSuffix(all), "\(calls)")
  }

  @Test func installedAndStillNotFoundIsAnError() throws {
    try machine.stub("id", "echo 0")
    try machine.stub("apt-get", "exit 0")
    expect(
      try dependencies(), fails: ["still they are not found", "pkg-config --exists --print-errors"])
  }

  @Test func withoutGnuplotAloneTheLabGoesOn() throws {
    try machine.libraries()
    try FileManager.default.removeItem(atPath: machine.folder.file("bin/gnuplot"))
    try machine.stub("apt-get", "exit 0")
    let result = try dependencies()
    #expect(result.status == 0, "\(result)")
    #expect(result.err.contains("going on without gnuplot"), "\(result)")
    #expect(result.err.contains("apt-get install gnuplot-nox"), "\(result)")
  }

  // MARK: Room and quiet

  private func room() throws -> CommandResult {
    try machine.run("Scripts/check-machine.sh", "no-trit-yet", folder: machine.folder.path)
  }

  @Test func quietMachinesWithRoomSayNothing() throws { expectSilent(try room()) }

  @Test func aFullDiskIsToldBeforeTheBuild() throws {
    try machine.stub("df", "echo Filesystem; echo '/dev/sda1 100000 90000 9000 99% /'")
    expect(try room(), fails: ["the disk is full: 8 MB are free", "make clean", "make demo"])
    // A program that is built needs no room.
    try machine.stub("trit", "exit 0")
    let built = try machine.run(
      "Scripts/check-machine.sh", machine.folder.file("bin/trit"), folder: machine.folder.path)
    expectSilent(built)
  }

  @Test func busyMachinesAndLittleMemoryAreToldAndStopNothing() throws {
    try machine.stub("uptime", "echo ' 10:00 up 1 day, load average: 7.31, 6.20, 5.30'")
    let busy = try room()
    #expect(busy.status == 0, "\(busy)")
    #expect(busy.err.contains("busy: a load of 7.31 on 2 cores"), "\(busy)")
    #expect(busy.err.contains("run experiments/quickstart.yaml --force"), "\(busy)")
    // macOS writes it otherwise.
    try machine.stub("uptime", "echo '10:00  up 1 day, 2 users, load averages: 9,31 6,20 5,30'")
    #expect(try room().err.contains("a load of 9.31 on 2 cores"))
    try machine.stub("uptime", "echo 'load average: 0.10, 0.20, 0.30'")
    try machine.stub("free", "echo total; echo 'Mem: 2000 1500 100 10 400 700'")
    let small = try room()
    #expect(small.status == 0 && small.err.contains("700 MB of memory"), "\(small)")
    #expect(small.err.contains("make demo JOBS=1"), "\(small)")
  }

  // MARK: Builds that fail

  @Test(
    arguments: [
      ("fatal error: error in backend: IO failure: No space left on device", "the disk is full"),
      ("error: compile command failed due to signal 9 (use -v to see invocation)", "JOBS=1"),
      ("shim.h:1:10: error: 'cblas.h' file not found", "PKG_CONFIG_PATH"),
      ("error: module file was created by an older version of the compiler", "make clean"),
    ])
  func buildsThatFailForOtherReasonsSayWhat(words: String, advice: String) throws {
    try machine.stub("swift", "echo \"\(words)\"; exit 1")
    let result = try machine.run("Scripts/build.sh", "swift", "build")
    expect(result, fails: ["error: ", words, advice, "make demo"])
  }

  @Test func buildsThatFailForTheirSourcesSayNoMore() throws {
    let words = "Sources/x.swift:1:1: error: cannot find 'x' in scope"
    try machine.stub("swift", "echo \"\(words)\"; exit 1")
    let result = try machine.run("Scripts/build.sh", "swift", "build")
    #expect(result.status == 1 && result.err == words + "\n", "\(result)")
    try machine.stub("swift", "echo \"$*\"")
    let fine = try machine.run("Scripts/build.sh", "swift", "build", "-c", "release")
    #expect(fine.status == 0 && fine.err == "build -c release\n", "\(fine)")
  }

  // MARK: Make

  /// The two commands of README end with these messages, and with the command that goes on.
  @Test(arguments: ["demo", "test", "install"])
  func makeAsksFirst(goal: String) throws {
    try machine.link("make")
    try machine.swift("5.10")
    let old = try machine.run("make", "-s", goal, "PREFIX=/nowhere", environment: [:])
    #expect(old.status == 2 && old.err.contains("Swift 5.10 is too old"), "\(old)")
    #expect(old.err.contains("Then: make \(goal)"), "\(old)")
    try machine.swift("6.3")
    try machine.stub("dnf", "exit 0")
    let fedora = try machine.run("make", "-s", goal, "PREFIX=/nowhere", environment: [:])
    #expect(fedora.status == 2 && fedora.err.contains("sudo dnf install"), "\(fedora)")
  }
}
