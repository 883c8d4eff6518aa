import Foundation
import Testing
import TritCore
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Files of one opening: what is read stays what it was, or it is said that it did not.
@Suite struct OpenedFilesTests {
  let folder: TemporaryFolder
  let files = OpenedFiles()

  init() throws { folder = try TemporaryFolder("opened") }

  private func read(_ path: String) throws -> String {
    try files.perform {
      let file = try MappedFile(path)
      return withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
    }
  }

  /// Writes into the file itself, as `cp` does, and not beside it.
  private func overwrite(_ path: String, _ text: String) throws {
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.truncate(atOffset: 0)
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }

  @Test func aPathIsOpenedOnceHoweverOftenItIsRead() throws {
    let path = try folder.write("first", to: "a.txt")
    #expect(try read(path) == "first")
    try AtomicFile.write("other", to: path)
    #expect(try read(path) == "first")
    #expect(try read(folder.path + "//a.txt") == "first")
    // Outside, and in another opening, the path is what lies there now.
    let outside = try MappedFile(path)
    #expect(withExtendedLifetime(outside) { Array(outside.bytes) } == Array("other".utf8))
    let listed = try files.files()
    #expect(listed.map(\.path) == [path] && listed[0].count == 5)
    #expect(listed[0].digest == SHA256.hex("first"))
    #expect(try OpenedFiles.digest(of: path) == SHA256.hex("other"))
  }

  @Test func whatIsKeptIsOfTheSameOpeningAndCountsOnceItIsRead() throws {
    let path = try folder.write("kept", to: "t.json")
    files.keep([path, folder.file("absent.json")])
    #expect(try files.files().isEmpty)
    try AtomicFile.write("late", to: path)
    #expect(try read(path) == "kept")
    #expect(try files.files().map(\.digest) == [SHA256.hex("kept")])
    #expect(throws: LabError.self) { try read(folder.file("absent.json")) }
  }

  @Test func aFileThatIsWrittenIntoIsRefused() throws {
    for (name, text, got) in [
      ("same size", "FIRST", "later"), ("longer", "first and more", "14 bytes"),
      ("shorter", "fir", "3 bytes"),
    ] {
      let path = try folder.write("first", to: name)
      let files = OpenedFiles()
      _ = try files.perform { try MappedFile(path) }
      #expect(try files.checkUnchanged() == [])
      try overwrite(path, text)
      let error = #expect(throws: LabError.self) { try files.checkUnchanged() }
      #expect(error?.kind == .badData && error?.place == path)
      #expect(error?.what.contains("changed while it was in use") == true)
      #expect(error?.got?.contains(got) == true, "\(String(describing: error))")
      #expect(error?.expected?.contains(String(SHA256.hex("first").prefix(16))) == true)
    }
  }

  @Test func aFileThatIsReplacedIsToldOnceAndStaysWhatItWas() throws {
    let path = try folder.write("first", to: "a.txt")
    let gone = try folder.write("second", to: "b.txt")
    _ = try read(path)
    _ = try read(gone)
    try AtomicFile.write("other", to: path)
    try FileManager.default.removeItem(atPath: gone)
    #expect(try files.checkUnchanged() == [path, gone])
    #expect(try files.checkUnchanged() == [])
    #expect(try read(path) == "first" && read(gone) == "second")
    // Replaced once more.
    try AtomicFile.write("third", to: path)
    #expect(try files.checkUnchanged() == [path])
  }

  /// A system call that reads pages which are gone gives an error and no signal.
  @Test func aCopyOfAFileThatWasCutShortNamesIt() throws {
    let path = try folder.write([UInt8](repeating: 7, count: 3 << 20), to: "large")
    let file = try MappedFile(path)
    let output = try AtomicFile(folder.file("copy"))
    #expect(truncate(path, 1 << 20) == 0)
    let error = #expect(throws: LabError.self) {
      try withExtendedLifetime(file) { try output.write(file.bytes) }
    }
    #expect(error?.kind == .badData && error?.place == path)
    #expect(error?.what.contains("cut short while it was in use") == true)
    #expect(error?.expected == "3145728 bytes until it is closed")
  }

  @Test func rightsAndLinksChangeNothing() throws {
    let path = try folder.write("first", to: "a.txt")
    _ = try read(path)
    chmod(path, 0o600)
    #expect(link(path, folder.file("b.txt")) == 0)
    #expect(try files.checkUnchanged() == [])
  }

  @Test func aStampSeesEveryKindOfChange() throws {
    let path = try folder.write("first", to: "a.txt")
    let first = try #require(FileStamp(path: path))
    #expect(first.size == 5 && first == FileStamp(path: path))
    #expect(try MappedFile(path).stamp == first)
    chmod(path, 0o600)
    let rights = try #require(FileStamp(path: path))
    #expect(rights != first && rights.modified == first.modified && rights.isSameFile(as: first))
    try AtomicFile.write("first", to: path)
    #expect(FileStamp(path: path)?.isSameFile(as: first) == false)
    #expect(FileStamp(path: folder.file("absent")) == nil)
  }
}

/// Temporary files of killed processes, and locks of folders.
@Suite struct LeftoverTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("leftovers") }

  /// Sets a file's time `seconds` back.
  private func age(_ name: String, _ seconds: Int) {
    let then = timeval(tv_sec: time(nil) - seconds, tv_usec: 0)
    _ = utimes(folder.file(name), [then, then])
  }

  @Test func leftoversOfKilledProcessesGoAtTheNextWrite() throws {
    let foreign = [
      "notes.partial-1234-abcdefg", "notes.partial-1234-ab_def", "notes.partial--abcdef",
      ".partial-1234-abcdef", "notes.partial-0-abcdef", "notes.partial-12-34-abcdef", "partial",
    ]
    for name in foreign { try folder.write("mine", to: name) }
    // Names as this version leaves them, and as the one before did, which took no lock.
    try folder.write("half", to: "model.gguf.partial-999999-aB3xyZ")
    try folder.write("half", to: "a.partial-b.partial-1-000000")
    try folder.write("half", to: "model.gguf.partial-Q0q1Zz")
    try folder.write("half", to: "old.gguf.partial-Q0q1Zz")
    age("old.gguf.partial-Q0q1Zz", 4000)
    try FileManager.default.createDirectory(
      atPath: folder.file("folder.partial-999999-aB3xyZ"), withIntermediateDirectories: true)
    let living = try AtomicFile(folder.file("living"))
    try living.write("text")
    let names = try folder.names()
    let own = try #require(names.first { $0.hasPrefix("living.partial-\(getpid())-") })
    let rest = [own, "model.gguf.partial-Q0q1Zz", "folder.partial-999999-aB3xyZ"]
    #expect(names == (foreign + rest).sorted())
    // What a living process writes stays, whoever looks.
    LeftoverFiles.remove(in: folder.path)
    #expect(try folder.names() == names)
    try living.commit()
    #expect(try folder.names().contains("living"))
    #expect(try !folder.names().contains(own))
    LeftoverFiles.remove(in: folder.file("no/such/folder"))
  }

  @Test func aWriteThatIsGivenUpLeavesNothing() throws {
    do {
      let file = try AtomicFile(folder.file("out"))
      try file.write(String(repeating: "x", count: 3 << 20))
      #expect(try folder.names().count == 1)
    }
    #expect(try folder.names() == [])
    // Longer names than a file system takes together with an ending.
    let long = folder.file(String(repeating: "ä", count: 120))
    try AtomicFile.write("text", to: long)
    #expect(try String(contentsOfFile: long, encoding: .utf8) == "text")
  }

  @Test func aLockNamesItsHolderAndGoesWithIt() throws {
    // A process that is gone left its number.
    try folder.write("process 999999 on elsewhere\n", to: "x.lock")
    var held: FolderLock? = try FolderLock(folder: folder.path, name: "x.lock", what: "training")
    let error = #expect(throws: LabError.self) {
      _ = try FolderLock(folder: folder.path, name: "x.lock", what: "training")
    }
    #expect(error?.kind == .failure && error?.place == folder.path)
    #expect(
      error?.got?.hasPrefix("process \(getpid()) on ") == true, "\(String(describing: error))")
    #expect(error?.expected == "one training at a time")
    #expect(error?.advice?.contains("-o DIR") == true)
    #expect(held?.path == folder.file("x.lock"))
    held = nil
    _ = try FolderLock(folder: folder.path, name: "x.lock", what: "training")
    #expect(throws: LabError.self) {
      _ = try FolderLock(folder: folder.file("absent"), name: "x.lock", what: "training")
    }
  }
}
