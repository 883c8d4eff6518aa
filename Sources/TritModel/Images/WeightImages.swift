import TritCore
import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Prepared weights kept in files of a folder, so that a model that ran before starts without
/// preparing them again.
///
/// A file (an image) holds the panels of all linear layers, or of the output head, as one program
/// lays them out on one CPU for one model and one choice of kernels. It is found by all of that:
/// another build, another CPU, a model file that was written or replaced (device, inode, size,
/// times and first MiB are compared) give another image. What a file holds is used where it is
/// mapped, so two processes share one copy. The folder belongs to this user alone (0700), else it
/// is not used.
///
/// Images are bounded: before one is written, those that were used longest ago go until all fit
/// `limit`.
public final class WeightImages: Sendable {
  /// Where the files are.
  public let folder: String
  /// Bytes that all images may take together.
  public let limit: Int
  /// Prepared weights of fewer bytes are not worth a file.
  public let smallest: Int
  /// Whether images are written; else those that are there are used.
  public let writes: Bool
  private let said = Mutex(Said())

  private struct Said {
    /// Bytes of the images that were written.
    var written = 0
    var notes: [String] = []
  }

  /// Images in `folder` (an absolute path), which is made when the first one is written.
  public init(
    folder: String, limit: Int = 8 << 30, smallest: Int = 64 << 20, writes: Bool = true
  ) {
    self.folder = folder
    self.limit = limit
    self.smallest = smallest
    self.writes = writes
  }

  /// What a user should know, in sentences: that an image was written, or why one was not.
  public var notes: [String] {
    let said = said.withLock { $0 }
    guard said.written > 0 else { return said.notes }
    return said.notes + [
      "images: kept \(said.written >> 20) MiB of prepared weights in \(folder), from where the next start takes "
        + "them ('trit cache list' shows them, --no-image-cache does without)"
    ]
  }

  /// An image in the folder.
  public struct Entry: Sendable, Hashable {
    /// The file.
    public let path: String
    /// Bytes of the file.
    public let bytes: Int
    /// When it was last used, seconds since 1970.
    public let lastUsed: Int
    /// The model's file or folder.
    public let model: String
    /// What it holds: `layers i2_s/avx512vnni`, `head int8`…
    public let content: String
    /// Why this program cannot read it; nil where it can.
    public let fault: String?
  }

  private static let suffix = ".image"

  /// All images, the one used last first. Throws where the folder cannot be read; a folder that is
  /// not there has none.
  public func entries() throws -> [Entry] {
    try names().map { name in
      let path = folder + "/" + name
      let stamp = FileStamp(path: path)
      var entry = (model: "", content: "", fault: String?.none)
      do throws(WeightImage.Refusal) {
        let manifest = try WeightImage.header(path: path).manifest
        if let read = ImageManifest(manifest) {
          entry = (read.model, read.content, nil)
        } else {
          entry.fault = "its manifest cannot be read"
        }
      } catch {
        if case .unfit(let reason) = error {
          entry.fault = reason
        } else {
          entry.fault = "it is gone"
        }
      }
      return Entry(
        path: path, bytes: stamp?.size ?? 0, lastUsed: (stamp?.modified ?? 0) / 1_000_000_000,
        model: entry.model, content: entry.content, fault: entry.fault)
    }.sorted { ($1.lastUsed, $0.path) < ($0.lastUsed, $1.path) }
  }

  /// Removes all images; processes that use one keep it until they end. Returns how many and their
  /// bytes. Throws `cannotCreate` where one cannot be removed.
  @discardableResult public func clear() throws -> (count: Int, bytes: Int) {
    guard !(try names()).isEmpty else { return (0, 0) }
    let lock = try FolderLock(
      folder: folder, name: Self.lockName, what: "process that writes images")
    defer { withExtendedLifetime(lock) {} }
    LeftoverFiles.remove(in: folder)
    var result = (count: 0, bytes: 0)
    for name in try names() {
      let path = folder + "/" + name
      let size = FileStamp(path: path)?.size ?? 0
      guard unlink(path) == 0 || errno == ENOENT else {
        throw LabError(
          .cannotCreate, "cannot remove the image: \(String(cString: strerror(errno)))", at: path,
          advice: "check the rights of the folder \(folder)")
      }
      result.count += 1
      result.bytes += size
    }
    return result
  }

  /// What is wrong with an image or with the model that it was made from, in sentences; nil where
  /// all bytes are those of the time when it was made. Reads all of both. Throws `interrupted`.
  public func verify(_ entry: Entry) throws -> String? {
    if let fault = entry.fault { return fault }
    let digests = try WeightImage.digests(path: entry.path)
    guard digests.computed == digests.stored else {
      return "its bytes are not those that were written (SHA-256 \(digests.computed.prefix(16))…, "
        + "expected \(digests.stored.prefix(16))…)"
    }
    guard let header = try? WeightImage.header(path: entry.path),
      let manifest = ImageManifest(header.manifest)
    else { return "its manifest cannot be read" }
    for file in manifest.files {
      guard FileStamp(path: file.path) != nil else {
        return "the model's file \(file.path) is gone"
      }
      guard try OpenedFiles.digest(of: file.path) == file.digest else {
        return "the model's file \(file.path) is another one by now"
      }
    }
    return nil
  }

  private static let lockName = "lock"

  /// File names of images; those of a folder that is not there are none.
  private func names() throws -> [String] {
    guard let stream = opendir(folder) else {
      if errno == ENOENT || errno == ENOTDIR { return [] }
      throw LabError(
        .missingInput, "cannot read the folder of images: \(String(cString: strerror(errno)))",
        at: folder)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(Self.suffix) { names.append(name) }
    }
    return names
  }
}

// MARK: For engines

extension WeightImages {
  private func path(_ key: ImageKey) -> String { "\(folder)/\(key.name)\(Self.suffix)" }

  private func note(_ text: String) {
    said.withLock { if !$0.notes.contains(text) { $0.notes.append(text) } }
  }

  /// Whether the folder is this user's alone. One that is not there is, when `makes` and it can be
  /// made.
  private func isOurs(makes: Bool) -> Bool {
    var status = stat()
    if lstat(folder, &status) != 0 {
      guard makes else { return false }
      var made = ""
      for part in folder.split(separator: "/", omittingEmptySubsequences: true) {
        made += (made.isEmpty && !folder.hasPrefix("/") ? "" : "/") + part
        mkdir(made, 0o700)
      }
      guard lstat(folder, &status) == 0 else {
        note("images: \(folder) cannot be made: \(String(cString: strerror(errno)))")
        return false
      }
    }
    guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
      status.st_mode & 0o077 == 0
    else {
      note(
        "images: \(folder) is not used, since others may enter it; give it to yourself alone "
          + "(chmod 700), or start with --no-image-cache")
      return false
    }
    return true
  }

  /// The image for `key` with its manifest; nil where there is none, or none that fits.
  func open(_ key: ImageKey) -> (image: WeightImage, manifest: ImageManifest)? {
    guard isOurs(makes: false) else { return nil }
    do throws(WeightImage.Refusal) {
      let image = try WeightImage(path: path(key), key: key.text)
      guard let manifest = ImageManifest(image.manifest) else {
        throw .unfit("its manifest cannot be read")
      }
      // Now is when it was last used.
      utimensat(AT_FDCWD, image.path, nil, 0)
      return (image, manifest)
    } catch {
      if case .unfit(let reason) = error {
        note("images: \(path(key)) is not used and made again: \(reason)")
      }
      return nil
    }
  }

  /// Says that an image does not hold what its name says, and is made again.
  func refuse(_ image: WeightImage, _ reason: String) {
    note("images: \(image.path) is not used and made again: \(reason)")
  }

  /// Whether sections of `sizes` bytes are written.
  func isWorth(_ sizes: [Int]) -> Bool {
    writes && !sizes.isEmpty && sizes.reduce(0, +) >= smallest
  }

  /// Writes an image, unless another process writes one or it is not worth it. Nothing of a run
  /// depends on it: what goes wrong is a note. Throws `interrupted`.
  func keep(_ key: ImageKey, _ manifest: ImageManifest, _ memory: [any RawMemory]) throws {
    let sizes = memory.map { $0.rawBuffer.count }
    let bytes = WeightImage.fileBytes(sizes)
    guard isWorth(sizes), isOurs(makes: true) else { return }
    guard bytes <= limit else {
      return note(
        "images: prepared weights of \(bytes >> 20) MiB are not kept: the limit is \(limit >> 20) MiB"
      )
    }
    guard
      let lock = try? FolderLock(
        folder: folder, name: Self.lockName, what: "process that writes images")
    else { return }
    defer { withExtendedLifetime(lock) {} }
    makeRoom(bytes, for: key)
    var disk = statvfs()
    if statvfs(folder, &disk) == 0 {
      let free = Int(disk.f_bavail) * Int(disk.f_frsize)
      guard free - bytes >= bytes / 8 else {
        return note(
          "images: prepared weights of \(bytes >> 20) MiB are not kept: \(folder) has "
            + "\(free >> 20) MiB left")
      }
    }
    do {
      try withExtendedLifetime(memory) {
        try WeightImage.write(
          key: key.text, manifest: manifest.text, sections: memory.map(\.rawBuffer), to: path(key))
      }
      said.withLock { $0.written += bytes }
    } catch let error as LabError where error.kind != .interrupted {
      note("images: prepared weights are not kept in \(folder): \(error.what)")
    }
  }

  /// Removes images, the one used longest ago first, until `bytes` more are within the limit.
  private func makeRoom(_ bytes: Int, for key: ImageKey) {
    guard var entries = try? entries() else { return }
    var total = entries.reduce(0) { $0 + $1.bytes }
    if let old = entries.firstIndex(where: { $0.path == path(key) }) {
      total -= entries.remove(at: old).bytes
    }
    while total + bytes > limit, let last = entries.popLast() {
      guard unlink(last.path) == 0 else { continue }
      total -= last.bytes
    }
  }
}
