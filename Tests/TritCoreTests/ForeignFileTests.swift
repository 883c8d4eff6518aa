import Testing
import TritLab
import _TritTestSupport

/// Files that are taken for a model and are none. The bytes are those that the tools write:
/// git-lfs's specification, `gzip`, `zip`, Python's `pickle` and `torch.save`.
@Suite struct ForeignFileTests {
  static func padded(_ head: [UInt8], to count: Int = 300) -> [UInt8] {
    head + [UInt8](repeating: 0x41, count: max(0, count - head.count))
  }

  static let pointer =
    "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: "a", count: 64))\n"
    + "size 1187801280\n"

  /// A zip whose first entry is called `name`.
  static func zip(_ name: String) -> [UInt8] {
    [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 22) + [UInt8(name.utf8.count), 0, 0, 0]
      + Array(name.utf8)
  }

  static let cases: [(what: String, bytes: [UInt8])] = [
    ("git-lfs pointer", Array(pointer.utf8)),
    ("web page", Array("\u{FEFF}\n <!DOCTYPE html><html><head>".utf8)),
    ("web page", Array("<HTML lang=en>".utf8)),
    ("XML", Array("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>".utf8)),
    ("gzip", padded([0x1F, 0x8B, 8, 0])), ("zstd", padded([0x28, 0xB5, 0x2F, 0xFD])),
    ("xz", padded([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0])), ("bzip2", padded(Array("BZh9".utf8))),
    ("zip archive", zip("model/config.json")), ("PyTorch checkpoint", zip("archive/data.pkl")),
    ("PyTorch checkpoint", zip("pytorch_model/data.pkl")), ("NumPy", zip("weight.npy")),
    // torch.save before 1.6: protocol 2, then its magic number as LONG1.
    ("pickle", padded([0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20])),
    // pickle.dumps({}, protocol=4) begins with a frame.
    ("pickle", padded([0x80, 4, 0x95, 1, 0, 0])),
    ("HDF5", padded([0x89, 0x48, 0x44, 0x46])), ("before GGUF", padded(Array("tjgg".utf8))),
    ("zeros", [UInt8](repeating: 0, count: 4096)), ("UTF-16", padded([0xFF, 0xFE, 0x61, 0])),
    ("PDF", padded(Array("%PDF-1.7".utf8))),
  ]

  private func recognized(_ bytes: [UInt8]) -> ForeignFile? {
    bytes.withUnsafeBytes { ForeignFile($0) }
  }

  @Test(arguments: cases) func isRecognized(what: String, bytes: [UInt8]) throws {
    let foreign = try #require(recognized(bytes), "\(what)")
    #expect(foreign.what.contains(what), "\(foreign)")
    let error = foreign.error(at: "a/model.gguf", expected: "a model")
    #expect(error.kind == .badData && error.place == "a/model.gguf" && error.advice != nil)
    // Nothing is left to fill in.
    #expect(!error.description.contains("{"), "\(error)")
  }

  @Test func aPointerTellsTheSizeOfItsFile() {
    #expect(recognized(Array(Self.pointer.utf8))?.got == "a pointer to a file of 1187801280 bytes")
  }

  @Test func whatTheLabReadsIsNotForeign() {
    let safetensors = safetensorsBytes(
      #"{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, data: [0])
    let known: [[UInt8]] = [
      Array("GGUF".utf8) + [3, 0, 0, 0], safetensors, Array("{\"a\": 1}".utf8),
      Array("name: x\n".utf8),
      Array("Once upon a time".utf8), Array("version: https://git-lfs.github.com".utf8), [],
      // llama2.c's tokenizer: the longest token's length, here 640.
      [0x80, 2, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0],
    ]
    for bytes in known { #expect(recognized(bytes) == nil, "\(bytes.prefix(16))") }
  }

  /// Each reader says what it was given; none of these is only "malformed".
  @Test func everyReaderSaysWhatItWasGiven() throws {
    let folder = try TemporaryFolder("foreign")
    let readers: [(String, (String) throws -> Void)] = [
      ("model.gguf", { _ = try GGUFFile(path: $0) }),
      ("model.safetensors", { _ = try SafetensorsFile(path: $0) }),
      ("tokenizer.json", { _ = try TokenizerLoader.load(path: $0) }),
      ("tokenizer.model", { _ = try TokenizerLoader.load(path: $0) }),
      ("config.json", { _ = try JSONReader.readFile($0) }),
      ("a.yaml", { _ = try YAMLReader.read(path: $0) }),
      ("questions.jsonl", { _ = try TaskDataset.load($0) }),
      ("text.jsonl", { _ = try TextDataset.load($0) }),
      ("any", { _ = try TensorFile.open($0) }),
    ]
    let inputs: [(String, [UInt8])] = [
      ("git-lfs pointer", Array(Self.pointer.utf8)), ("web page", Array("<!DOCTYPE html>".utf8)),
      ("gzip", Self.padded([0x1F, 0x8B, 8, 0])),
    ]
    for (name, read) in readers {
      for (what, bytes) in inputs {
        let path = try folder.write(bytes, to: name)
        let error = #expect(throws: LabError.self, "\(name) as \(what)") { try read(path) }
        #expect(
          error?.what.contains(what) == true && error?.advice != nil, "\(name): \(error as Any)")
        #expect(error?.place?.hasSuffix(name) == true)
      }
    }
    // A pointer is a fine text; it is not the text that was meant.
    let text = try folder.write(Array(Self.pointer.utf8), to: "wiki.raw")
    #expect(throws: LabError.self) { try TextDataset.load(text) }
    // A page may be a text.
    let page = try folder.write("<!DOCTYPE html><p>Once</p>", to: "page.txt")
    #expect(throws: LabError.self) { try TextDataset.load(page) }
  }

  @Test func emptyFilesAreCalledEmpty() throws {
    let folder = try TemporaryFolder("empty")
    let path = try folder.write("", to: "x")
    for read: () throws -> Void in [
      { _ = try GGUFFile(path: path) }, { _ = try SafetensorsFile(path: path) },
      { _ = try JSONReader.readFile(path) }, { _ = try TokenizerLoader.load(path: path) },
    ] {
      let error = #expect(throws: LabError.self) { try read() }
      #expect(error?.what == "the file is empty" && error?.advice != nil)
    }
  }
}
