import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite struct TextDatasetTests {
  /// A folder for one test, removed when the value goes.
  private final class Folder {
    let path: String

    init() throws {
      path = NSTemporaryDirectory() + "trit-dataset-" + UUID().uuidString
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
      let file = path + "/" + name
      try FileManager.default.createDirectory(
        atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try AtomicFile.write(bytes, to: file)
      return file
    }

    func write(_ name: String, _ text: String) throws -> String {
      try write(name, Array(text.utf8))
    }
  }

  private func error(_ specification: String, _ directory: String? = nil) -> LabError? {
    do {
      _ = try TextDataset.load(specification, directory: directory, environment: [:])
      return nil
    } catch { return error as? LabError }
  }

  @Test func aFileIsItsText() throws {
    let folder = try Folder()
    let file = try folder.write("a.md", "abc")
    let dataset = try TextDataset.load(file, environment: [:])
    #expect(dataset.text == "abc" && dataset.byteCount == 3 && dataset.sources == [file])
    #expect(
      dataset.digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test func aFolderIsItsTextsInOrder() throws {
    let folder = try Folder()
    _ = try folder.write("b.txt", "two\n")
    _ = try folder.write("a.raw", "one\n")
    _ = try folder.write("c.json", "{}")
    let dataset = try TextDataset.load(folder.path, environment: [:])
    #expect(dataset.text == "one\ntwo\n" && dataset.sources.count == 2)
    let empty = try Folder()
    #expect(error(empty.path)?.kind == .missingInput)
  }

  @Test func aFolderTakesLinesThatAreTextsAndLeavesQuestions() throws {
    let folder = try Folder()
    _ = try folder.write("a.txt", "one\n")
    _ = try folder.write("b.jsonl", "{\"text\": \"two\"}\n{\"text\": \"three\"}\n")
    _ = try folder.write("c.jsonl", "{\"question\": \"?\"}\n")
    _ = try folder.write("d.md", "# no text\n")
    let dataset = try TextDataset.load(folder.path, environment: [:])
    #expect(dataset.text == "one\ntwo\n\nthree")
    #expect(dataset.leftOut == ["c.jsonl", "d.md"])
    #expect(dataset.documents.starts == [0, 4, 9])
    // A later line without the field is a damaged file, not one of questions.
    _ = try folder.write("e.jsonl", "{\"text\": \"x\"}\n{}\n")
    #expect(error(folder.path)?.place == folder.path + "/e.jsonl:2")
  }

  @Test func documentsBeginWhereTheTextSays() throws {
    // The form of wiki.test.raw: a blank line, articles of one level, sections of two and three.
    let articles =
      " \n = Robert Boulter = \n \n é text \n = = Career = = \n x = y \n = Du Fu = \n ="
    let found = TextDocuments(of: articles)
    #expect(found.starts == [0, Array(articles.utf8).count - " = Du Fu = \n =".utf8.count])
    // The same lines behind another first line are a text like any other.
    #expect(TextDocuments(of: "Title\n" + articles) == .one)
    #expect(TextDocuments(of: " == x == \n = a = \n") == .one)
    #expect(TextDocuments(of: "") == .one)
    let stories = "Once.<|endoftext|>\nTwice.<|endoftext|><|endoftext|>Thrice.<|endoftext|>\n"
    #expect(TextDocuments(of: stories).starts == [0, 18, 51])
    let documents = TextDocuments(of: stories)
    #expect([0, 17, 18, 50, 51, 1000].map(documents.number) == [0, 0, 1, 1, 2, 2])
    let set = try TextDataset.load("builtin:storyteller/test:7", environment: [:])
    #expect(set.documents.starts.count == 7)
  }

  @Test func windowsKnowTheirDocuments() throws {
    let folder = try Folder()
    // One byte is one token; documents of 40, 10 and 30 bytes.
    for (name, count) in [("a.txt", 40), ("b.txt", 10), ("c.txt", 30)] {
      _ = try folder.write(name, String(repeating: "x", count: count))
    }
    let dataset = try TextDataset.load(folder.path, environment: [:])
    let tokenizer = ByteTokenizer()
    func documents(_ method: PerplexityProtocol, _ windows: WindowSelection = .all) throws -> [Int]?
    {
      try method.windows(of: dataset, tokenizer: tokenizer, selection: windows).documents
    }
    // The second half of each window of 16 counts: from bytes 9, 25, 41, 57, 73 on.
    #expect(try documents(.llamaCpp(context: 16)) == [0, 0, 1, 2, 2])
    #expect(try documents(.llamaCpp(context: 16), WindowSelection(2, 4)) == [1, 2])
    // From bytes 1, 21, 41, 61 on.
    #expect(try documents(.contiguous(context: 20)) == [0, 0, 1, 2])
    // From bytes 1, 10, 15, … 75 on: each what the last five of ten add.
    #expect(
      try documents(.strided(context: 10, stride: 5))?.suffix(9) == [0, 1, 1, 2, 2, 2, 2, 2, 2])
    let one = try folder.write("one.md", "xxxxxxxxxxxx")
    #expect(
      try PerplexityProtocol.contiguous(context: 4).windows(
        of: TextDataset.load(one, environment: [:]), tokenizer: tokenizer, selection: .all
      ).documents == nil)
  }

  @Test func linesOfJSONGiveOneField() throws {
    let folder = try Folder()
    let file = try folder.write(
      "d.jsonl", "{\"text\": \"x\", \"story\": \"äb\"}\n\n{\"story\": \"c\\n\", \"text\": \"y\"}")
    #expect(try TextDataset.load(file + ":story", environment: [:]).text == "äb\n\nc\n")
    #expect(try TextDataset.load(file, environment: [:]).text == "x\n\ny")
    let typo = error(file + ":sotry")
    #expect(typo?.place == file + ":1" && typo?.advice == "did you mean 'story'?")
    let broken = try folder.write("e.jsonl", "{\"text\": \"x\"}\n{\"text\": ")
    #expect(error(broken)?.place == broken + ":2:10" && error(broken)?.kind == .badData)
    let number = try folder.write("f.jsonl", "{\"text\": 5}")
    #expect(error(number)?.kind == .badData)
    #expect(error(file + ":")?.kind == .usage)
  }

  @Test func knownNamesAreLookedUpInTheDataFolder() throws {
    let folder = try Folder()
    _ = try folder.write("wiki.test.raw", "flat")
    let flat = try TextDataset.load(
      "wikitext-2-raw/test", environment: ["TRITLAB_DATA": folder.path])
    #expect(flat.text == "flat" && flat.name == "wikitext-2-raw/test")
    _ = try folder.write("wikitext-2-raw/wiki.test.raw", "nested")
    #expect(
      try TextDataset.load("wikitext-2-raw", directory: folder.path, environment: [:]).text
        == "nested")
    _ = try folder.write("own/thing.txt", "mine")
    #expect(
      try TextDataset.load("own/thing.txt", directory: folder.path, environment: [:]).text
        == "mine")
  }

  @Test func aMissingSetSaysWhereToGetItAndWhereToPutIt() throws {
    let folder = try Folder()
    let nowhere = try #require(error("wikitext-2-raw/test"))
    #expect(nowhere.kind == .missingInput)
    #expect(nowhere.advice?.contains("wikitext-2-raw-v1.zip") == true)
    #expect(nowhere.advice?.contains("TRITLAB_DATA") == true)
    let absent = try #require(error("tinyshakespeare", folder.path))
    #expect(absent.kind == .missingInput)
    #expect(absent.advice?.contains("put tinyshakespeare.txt in \(folder.path)") == true)
    #expect(error("wikitext-2-raw/tset")?.advice == "did you mean 'wikitext-2-raw/test'?")
  }

  /// Packed by Python's gzip with a time of 0.
  @Test func packedTextsAreReadAndFoldersSayWhatTheyLeftOut() throws {
    let folder = try Folder()
    let story: [UInt8] = [
      0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xF3, 0xCF,
      0x4B, 0x4E, 0x55, 0x28, 0x2D, 0x38, 0xBC, 0x2D, 0x4F, 0x21, 0x51, 0xA1,
      0x24, 0x33, 0x37, 0x55, 0x8F, 0x0B, 0x00, 0x4C, 0xA7, 0xD7, 0x73, 0x13,
      0x00, 0x00, 0x00,
    ]
    let lines: [UInt8] = [
      0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xAB, 0x56,
      0x2A, 0x49, 0xAD, 0x28, 0x51, 0xB2, 0x52, 0x50, 0x4A, 0x54, 0xAA, 0xE5,
      0xAA, 0x86, 0xF3, 0x92, 0x80, 0x3C, 0x00, 0x3D, 0xBD, 0xE6, 0x10, 0x1C,
      0x00, 0x00, 0x00,
    ]
    #expect(try TextDataset.load(folder.write("a.txt.gz", story)).text == "Once upön a time.\n")
    let packed = try folder.write("b.jsonl.gz", lines)
    #expect(try TextDataset.load(packed).text == "a\n\nb")
    #expect(try TextDataset.load(packed + ":text").text == "a\n\nb")
    _ = try folder.write("c.txt", "And then.\n")
    let all = try TextDataset.load(folder.path)
    #expect(all.text == "Once upön a time.\na\n\nbAnd then.\n")
    #expect(all.leftOut.isEmpty && all.sources.count == 3)
    #expect(all.documents.starts == [0, 19, 22, 23])
    #expect(error(try folder.write("cut.txt.gz", Array(story.dropLast(5))))?.kind == .badData)
  }

  @Test func badTextIsRefused() throws {
    let folder = try Folder()
    #expect(error(try folder.write("empty.txt", ""))?.kind == .badData)
    for (bytes, place) in [
      ([0x61, 0xFF], 1), ([0xC0, 0x80], 0), ([0x61, 0xED, 0xA0, 0x80], 1), ([0x62, 0xE2, 0x82], 1),
      ([0xF4, 0x90, 0x80, 0x80], 0), ([0xC3, 0xA4, 0xE0, 0x80, 0x80], 2),
    ] as [([UInt8], Int)] {
      let problem = error(try folder.write("bad.txt", bytes))
      #expect(problem?.kind == .badData)
      #expect(problem?.got?.hasSuffix("at offset \(place)") == true, "\(bytes)")
    }
    let wide = error(try folder.write("wide.txt", [0xFF, 0xFE, 0x61, 0x00]))
    #expect(wide?.what == "this is UTF-16 text")
    #expect(wide?.advice?.contains("iconv -f UTF-16 -t UTF-8") == true)
  }

  @Test(.enabled(if: SharedData.isPresent)) func wikitextIsTheKnownFile() throws {
    let folder = try #require(SharedData.path("text"))
    let dataset = try TextDataset.load(
      "wikitext-2-raw/test", directory: folder, environment: [:])
    #expect(dataset.byteCount == 1_290_590)
  }
}
