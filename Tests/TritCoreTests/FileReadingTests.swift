import Foundation
import Testing
import TritLab
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What lies at a path, how much of it is read, and how it is named where it has no name in UTF-8.
@Suite struct FileReadingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("reading") }

  /// A file of `bytes` bytes that takes no room on the disk.
  private func sparse(_ name: String, bytes: Int) throws -> String {
    let path = try folder.write("", to: name)
    try #require(truncate(path, off_t(bytes)) == 0)
    return path
  }

  private func error<R>(_ body: () throws -> R) -> LabError? {
    do {
      _ = try body()
      return nil
    } catch { return error as? LabError }
  }

  @Test func kindsAreToldApart() throws {
    let file = try folder.write("x", to: "file")
    let pipe = folder.file("pipe")
    try #require(mkfifo(pipe, 0o600) == 0)
    try #require(symlink("nowhere/blob", folder.file("dangling")) == 0)
    try #require(symlink(file, folder.file("link")) == 0)
    try #require(symlink(folder.file("loop"), folder.file("loop")) == 0)
    #expect(FileKind(at: file) == .file)
    #expect(FileKind(at: folder.path) == .folder)
    #expect(FileKind(at: folder.file("link")) == .file)
    #expect(FileKind(at: pipe) == .pipe)
    #expect(FileKind(at: "/dev/zero") == .device)
    #expect(FileKind(at: folder.file("none")) == .absent)
    #expect(FileKind(at: file + "/below") == .absent)
    #expect(FileKind(at: folder.file("dangling")) == .danglingLink(target: "nowhere/blob"))
    #expect(FileKind(at: folder.file("loop")) == .danglingLink(target: folder.file("loop")))
  }

  @Test func whatIsNoFileSaysWhatItIs() throws {
    try #require(symlink("../../blobs/ab", folder.file("dangling")) == 0)
    let cases: [(String, LabError.Kind, String)] = [
      (folder.path, .badData, "a folder"), ("/dev/null", .badData, "a device"),
      (folder.file("none"), .missingInput, "no such file"),
      (folder.file("dangling"), .missingInput, "'../../blobs/ab'"),
    ]
    for (path, kind, words) in cases {
      let error = error { try MappedFile(path) }
      #expect(error?.kind == kind && error?.description.contains(words) == true, "\(error as Any)")
      #expect(error?.advice != nil && error?.place == path)
    }
  }

  @Test func linksIntoHuggingFacesCacheNameTheRepository() throws {
    let snapshot = folder.file("models--org--name/snapshots/0a1b")
    try FileManager.default.createDirectory(atPath: snapshot, withIntermediateDirectories: true)
    try #require(symlink("../../blobs/cafe", snapshot + "/config.json") == 0)
    let error = error { try JSONReader.readFile(snapshot + "/config.json") }
    #expect(error?.advice?.contains("hf download org/name") == true, "\(error as Any)")
    #expect(HuggingFaceCache.repository(of: "/a/models--gpt2/refs/main") == "gpt2")
    #expect(HuggingFaceCache.repository(of: "/a/models--o--n--m/x") == "o/n--m")
    #expect(HuggingFaceCache.repository(of: "/models/x") == nil)
  }

  /// Three gigabytes on paper: each reader refuses by the size alone, before a byte is taken.
  @Test func sizesAreCheckedBeforeReading() throws {
    let bytes = 3 << 30
    let json = try sparse("big.json", bytes: bytes)
    let yaml = try sparse("big.yaml", bytes: bytes)
    let text = try sparse("big.txt", bytes: bytes)
    let model = try sparse("tokenizer.model", bytes: bytes)
    let index = try sparse("model.safetensors.index.json", bytes: bytes)
    let readers: [(String, () throws -> Void)] = [
      ("a configuration", { _ = try JSONReader.readFile(json) }),
      ("an experiment file", { _ = try YAMLReader.read(path: yaml) }),
      ("a text", { _ = try TextDataset.load(text) }),
      ("a file of questions", { _ = try TaskDataset.load(json) }),
      ("a tokenizer", { _ = try TiktokenRanks.readFile(model) }),
      ("a tokenizer", { _ = try SentencePieceModel.readFile(model) }),
      ("a tokenizer", { _ = try TokenizerLoader.load(path: json) }),
      ("an index of shards", { _ = try ShardedSafetensors(path: index) }),
      ("a text", { _ = try WholeFile.read(text, limit: .text) }),
    ]
    for (what, read) in readers {
      let error = error(read)
      #expect(error?.what == "too large for \(what)", "\(what): \(error as Any)")
      #expect(error?.got == "\(bytes) bytes" && error?.kind == .badData)
    }
  }

  @Test func streamsAreReadUpToTheirLimit() throws {
    let limit = FileLimit("a test", bytes: 300_000)
    let endless = error { try WholeFile.read("/dev/zero", limit: limit) }
    #expect(endless?.what == "too large for a test" && endless?.got == "more")
    #expect(try WholeFile.read("/dev/null", limit: limit).isEmpty)
    // A pipe that nobody writes to is empty at once; nothing waits.
    let pipe = folder.file("pipe")
    try #require(mkfifo(pipe, 0o600) == 0)
    #expect(try WholeFile.read(pipe, limit: limit).isEmpty)
    let exact = try folder.write([UInt8](repeating: 7, count: 300_000), to: "exact")
    #expect(try WholeFile.read(exact, limit: limit).count == 300_000)
    let more = try folder.write([UInt8](repeating: 7, count: 300_001), to: "more")
    #expect(error { try WholeFile.read(more, limit: limit) }?.got == "300001 bytes")
    // Files of the kernel have no size and content all the same.
    #expect(
      try FileKind(at: "/proc") == .absent
        || !WholeFile.read("/proc/self/stat", limit: limit).isEmpty)
  }

  @Test func limitsAreInWords() {
    #expect(FileLimit("x", bytes: 16 << 20).size == "16 MiB")
    #expect(FileLimit("x", bytes: 2 << 30).size == "2 GiB")
    #expect(FileLimit("x", bytes: 4096).size == "4 KiB")
  }

  // MARK: Names

  @Test func bytesOutsideUTF8AreEscaped() {
    #expect(EscapedPath.text(Array("café".utf8)) == "café")
    #expect(EscapedPath.text([0x63, 0x61, 0x66, 0xE9, 0x2E, 0x78]) == #"caf\xE9.x"#)
    #expect(EscapedPath.text([0xE2, 0x82, 0x61]) == #"\xE2\x82a"#)
    #expect(EscapedPath.text([0x80, 0x0A]) == "\\x80\n")
    #expect(EscapedPath.text([UInt8]()) == "")
  }

  @Test func foldersListNamesThatAreNotUTF8() throws {
    try folder.write("a", to: "b.txt")
    try folder.write("a", to: "a.txt")
    let name = Array((folder.path + "/caf").utf8) + [0xE9] + Array(".txt".utf8) + [0]
    let descriptor = name.map { CChar(bitPattern: $0) }.withUnsafeBufferPointer {
      open($0.baseAddress!, O_CREAT | O_WRONLY, 0o600)
    }
    // A file system that refuses such names has nothing to test.
    guard descriptor >= 0 else { return }
    close(descriptor)
    let listing = try FolderListing(folder.path)
    #expect(listing.names == ["a.txt", "b.txt"])
    #expect(listing.unreadable == [#"caf\xE9.txt"#])
    // A text that would silently be left out is told.
    let error = error { try TextDataset.load(folder.path) }
    #expect(error?.got == #"caf\xE9.txt"# && error?.kind == .missingInput, "\(error as Any)")
    #expect(self.error { try FolderListing(folder.file("a.txt")) }?.got == "a file")
    #expect(self.error { try FolderListing(folder.file("none")) }?.kind == .missingInput)
  }
}
