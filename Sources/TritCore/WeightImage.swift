#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file of prepared weights, mapped so that all processes that use it share one copy: a manifest
/// in text and runs of bytes (sections) that are used where they lie.
///
/// ```text
///     0  "TRITIMG1"
///     8  bytes of the key, of the manifest; where sections begin, where they end; bytes of the file (5 × u64)
///    64  key, manifest (UTF-8), zeros up to the sections, which begin at a multiple of 4096
///        sections, each at a multiple of 64 and followed by at least 64 zero bytes
///   end  SHA-256 of all bytes before, 64 hex digits; zeros up to a multiple of 2 MiB
/// ```
///
/// The file is for the machine that wrote it: numbers are in its byte order. It is written in runs
/// that begin at multiples of 2 MiB, which file systems with large folios then hold in huge pages;
/// mapped at such a multiple, it is read through as few page walks as weights in anonymous huge
/// pages.
package final class WeightImage: Sendable {
  /// Where the file is.
  package let path: String
  /// What the sections mean.
  package let manifest: String
  /// Bytes of the file.
  package let count: Int
  /// What the system said of the file when it was opened.
  package let stamp: FileStamp
  /// Whether the bytes are the file's own pages, shared with other processes; else a copy in huge
  /// pages.
  package let isShared: Bool
  private let base: UInt
  private let sections: Range<Int>
  private let block: LargeMemory.Block?
  private let slot: Int?

  private static let magic = Array("TRITIMG1".utf8)
  private static let headBytes = 64
  private static let digestBytes = 64
  private static let page = 4096
  private static let huge = 2 << 20

  /// Why a file is not used.
  package enum Refusal: Error, Equatable {
    /// There is none, or one with another key.
    case absent
    /// In words.
    case unfit(String)
  }

  /// Maps the file at `path`, which must be this user's alone to write and have been made for
  /// `key`.
  package init(path: String, key: String) throws(Refusal) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { throw .absent }
    defer { close(descriptor) }
    let header = try Self.header(of: descriptor)
    guard header.key == key else { throw .absent }
    self.path = path
    manifest = header.manifest
    stamp = header.stamp
    count = header.stamp.size
    sections = header.sections
    guard let mapped = Self.map(descriptor, count) else {
      throw .unfit("it cannot be mapped: \(String(cString: strerror(errno)))")
    }
    if mapped.isHuge || !LargeMemory.hasHugePages {
      (base, isShared, block) = (mapped.base, true, nil)
      slot = MappingFaults.add(start: base, count: count, path: path)
      return
    }
    // Small pages would cost a fifth of every pass over the weights, for as long as they are used.
    guard let copy = Self.copy(descriptor, count) else {
      (base, isShared, block) = (mapped.base, true, nil)
      slot = MappingFaults.add(start: base, count: count, path: path)
      return
    }
    if let old = UnsafeMutableRawPointer(bitPattern: mapped.base) { munmap(old, count) }
    (base, isShared, block) = (UInt(bitPattern: copy.base), false, copy)
    slot = nil
  }

  deinit {
    if let slot { MappingFaults.remove(slot) }
    if let block {
      LargeMemory.give(block)
    } else if let base = UnsafeMutableRawPointer(bitPattern: base) {
      munmap(base, count)
    }
  }

  /// The bytes `range`, counted from the first section. Throws `badData` where they lie outside.
  package func bytes(_ range: Range<Int>) throws -> UnsafeRawBufferPointer {
    guard range.lowerBound >= 0, range.lowerBound.isMultiple(of: 64),
      range.upperBound <= sections.count, let base = UnsafeRawPointer(bitPattern: base)
    else {
      throw LabError(
        .badData, "a section lies outside the image", at: path,
        expected: "at most \(sections.count) bytes, from a multiple of 64", got: "\(range)")
    }
    return UnsafeRawBufferPointer(
      start: base + sections.lowerBound + range.lowerBound, count: range.count)
  }
}

// MARK: Reading

extension WeightImage {
  /// What stands before the sections.
  package struct Header {
    package let key: String
    package let manifest: String
    package let stamp: FileStamp
    let sections: Range<Int>
  }

  /// The header of the file at `path`, checked as for use.
  package static func header(path: String) throws(Refusal) -> Header {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { throw .absent }
    defer { close(descriptor) }
    return try header(of: descriptor)
  }

  private static func header(of descriptor: Int32) throws(Refusal) -> Header {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .unfit("it is no regular file")
    }
    guard status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
      throw .unfit("others may write it")
    }
    let size = Int(status.st_size)
    guard let head = read(descriptor, 0..<headBytes), Array(head[..<8]) == magic else {
      throw .unfit("it is no image of this version")
    }
    let numbers = (0..<5).map { index in
      head.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 8 + 8 * index, as: Int64.self) }
    }.map { Int($0) }
    let (key, manifest, start, end) = (numbers[0], numbers[1], numbers[2], numbers[3])
    guard numbers[4] == size, (0...(1 << 20)).contains(key), (0...(64 << 20)).contains(manifest),
      start >= headBytes + key + manifest, start.isMultiple(of: page), end >= start,
      end <= size - digestBytes
    else { throw .unfit("its header does not fit its \(size) bytes") }
    guard let text = read(descriptor, headBytes..<headBytes + key + manifest),
      let keyText = String(validating: text[..<key], as: UTF8.self),
      let manifestText = String(validating: text[key...], as: UTF8.self)
    else { throw .unfit("its header cannot be read") }
    return Header(
      key: keyText, manifest: manifestText, stamp: FileStamp(status), sections: start..<end)
  }

  private static func read(_ descriptor: Int32, _ range: Range<Int>) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: range.count)
    var done = 0
    while done < range.count {
      let count = bytes.withUnsafeMutableBytes {
        pread(
          descriptor, $0.baseAddress.map { $0 + done }, range.count - done,
          off_t(range.lowerBound + done))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      done += count
    }
    return bytes
  }

  /// SHA-256 of the image at `path` up to where its digest stands, and that digest. Throws
  /// `badData` for what is no image, `interrupted`.
  package static func digests(path: String) throws -> (computed: String, stored: String) {
    do {
      // Mapped as for use: pages that come in now are those that the next start finds.
      let image = try WeightImage(path: path, key: try header(path: path).key)
      return try image.digests()
    } catch let refusal as Refusal {
      throw LabError(.badData, "the image cannot be used", at: path, got: "\(refusal)")
    }
  }

  private func digests() throws -> (computed: String, stored: String) {
    let end = sections.upperBound
    return try span.withUnsafeBytes { bytes in
      var digest = SHA256()
      for start in stride(from: 0, to: end, by: Self.run) {
        try Interruption.check()
        digest.update(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + Self.run, end)]))
      }
      return (
        digest.finish(), String(decoding: bytes[end..<end + Self.digestBytes], as: UTF8.self)
      )
    }
  }

  /// All bytes of the file, as long as this object lives.
  private var span: RawSpan {
    @_lifetime(borrow self) get {
      let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: base), count: count)
      return _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
    }
  }
}

// MARK: Mapping

extension WeightImage {
  private static func map(_ descriptor: Int32, _ count: Int) -> (base: UInt, isHuge: Bool)? {
    guard count > 0, count < Int.max - 2 * huge else { return nil }
    #if os(Linux)
      let reserved = count + huge
      guard let start = mmap(nil, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0),
        start != MAP_FAILED
      else { return nil }
      let before = (huge - Int(bitPattern: start) % huge) % huge
      let base = start + before
      guard mmap(base, count, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, 0) != MAP_FAILED else {
        munmap(start, reserved)
        return nil
      }
      if before > 0 { munmap(start, before) }
      let used = (count + page - 1) / page * page
      let behind = reserved - before - used
      if behind > 0 { munmap(base + used, behind) }
      // MADV_HUGEPAGE and MADV_POPULATE_READ, macros that Swift does not import.
      madvise(base, count, 14)
      madvise(base, count, 22)
      return (UInt(bitPattern: base), hugeShare(base, count) > 0.9)
    #else
      guard let base = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED
      else { return nil }
      return (UInt(bitPattern: base), false)
    #endif
  }

  /// The share of a mapping that huge pages map, as /proc says; 0 where it does not.
  private static func hugeShare(_ base: UnsafeMutableRawPointer, _ count: Int) -> Double {
    guard let file = fopen("/proc/self/smaps", "re") else { return 0 }
    defer { fclose(file) }
    let start = String(UInt(bitPattern: base), radix: 16) + "-"
    var line = [CChar](repeating: 0, count: 512)
    var isInside = false
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(
        decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if text.hasPrefix(start) { isInside = true }
      guard isInside, text.hasPrefix("FilePmdMapped:") else { continue }
      let kibibytes = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      return Double(kibibytes << 10) / Double(count)
    }
    return 0
  }

  /// The file in anonymous huge pages; nil where there is no memory for it or it cannot be read.
  private static func copy(_ descriptor: Int32, _ count: Int) -> LargeMemory.Block? {
    guard let block = LargeMemory.takeHuge(count) else { return nil }
    var done = 0
    while done < count {
      let got = pread(descriptor, block.base + done, min(count - done, run), off_t(done))
      if got < 0, errno == EINTR { continue }
      guard got > 0 else {
        LargeMemory.give(block)
        return nil
      }
      done += got
    }
    return block
  }
}

// MARK: Writing

extension WeightImage {
  private static let run = 16 << 20

  /// Where sections of `sizes` bytes begin, counted from the first one, and where the last ends.
  package static func layout(_ sizes: [Int]) -> (starts: [Int], end: Int) {
    var end = 0
    let starts = sizes.map { size in
      defer { end += (size + 127) / 64 * 64 }
      return end
    }
    return (starts, end)
  }

  /// Bytes of a file with such sections, its texts apart.
  package static func fileBytes(_ sizes: [Int]) -> Int {
    (layout(sizes).end + digestBytes + huge + huge - 1) / huge * huge
  }

  /// Writes an image to `path`, whole or not at all. Throws `cannotCreate` and `interrupted`.
  package static func write(
    key: String, manifest: String, sections: [UnsafeRawBufferPointer], to path: String
  ) throws {
    let (starts, length) = layout(sections.map(\.count))
    let texts = Array(key.utf8) + Array(manifest.utf8)
    let start = (headBytes + texts.count + page - 1) / page * page
    let end = start + length
    let size = (end + digestBytes + huge - 1) / huge * huge
    var head = magic
    for number in [key.utf8.count, manifest.utf8.count, start, end, size] {
      withUnsafeBytes(of: Int64(number)) { head += $0 }
    }
    head += [UInt8](repeating: 0, count: headBytes - head.count) + texts
    var writer = try RunWriter(path, run: run)
    try writer.write(head)
    for (offset, section) in zip(starts, sections) {
      try writer.pad(to: start + offset)
      try writer.write(section)
    }
    try writer.pad(to: end)
    try writer.finish(size: size)
  }

  /// Collects bytes into runs that begin at multiples of their size.
  private struct RunWriter {
    private let file: AtomicFile
    private let buffer: AlignedBuffer<UInt8>
    private var used = 0
    private var written = 0
    private var digest = SHA256()

    init(_ path: String, run: Int) throws {
      file = try AtomicFile(path, isPrivate: true)
      buffer = AlignedBuffer(count: run)
    }

    var position: Int { written + used }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
      var rest = bytes
      while let base = rest.baseAddress, rest.count > 0 {
        let part = min(rest.count, buffer.count - used)
        UnsafeMutableRawPointer(buffer.base + used).copyMemory(from: base, byteCount: part)
        used += part
        rest = UnsafeRawBufferPointer(rebasing: rest[part...])
        if used == buffer.count { try send(hashing: used) }
      }
    }

    mutating func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    mutating func pad(to position: Int) throws {
      try write([UInt8](repeating: 0, count: position - self.position))
    }

    private mutating func send(hashing count: Int) throws {
      try Interruption.check()
      let bytes = UnsafeRawBufferPointer(start: buffer.base, count: used)
      digest.update(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      try file.write(bytes)
      written += used
      used = 0
    }

    mutating func finish(size: Int) throws {
      // What is in the buffer belongs to the digest, which stands behind it.
      digest.update(UnsafeRawBufferPointer(start: buffer.base, count: used))
      let text = Array(digest.finish().utf8)
      digest = SHA256()
      try write(text)
      try pad(to: size)
      if used > 0 { try send(hashing: 0) }
      try file.commit()
    }
  }
}
