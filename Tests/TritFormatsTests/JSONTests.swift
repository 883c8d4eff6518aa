import Testing
import TritLab
import _TritTestSupport

@Suite struct JSONTests {
  @Test func readsEveryKind() throws {
    let value = try JSONReader.read(
      #" { "a" : [ 1, -0.5e+3, true, false, null, "x\n\u00e9\ud83d\ude00\/" ], "b":{} } "#)
    #expect(
      value
        == .object([
          (
            "a",
            .array([
              .number("1"), .number("-0.5e+3"), .bool(true), .bool(false), .null,
              .string("x\né😀/"),
            ])
          ), ("b", .object([])),
        ]))
    #expect(value["a"]?.array?[0].integer == 1)
    #expect(value["a"]?.array?[1].double == -500)
  }

  /// Keys that Swift's strings call equal but whose bytes differ are different keys.
  @Test func canonicallyEqualKeysAreDifferent() throws {
    #expect(try JSONReader.read("{\"\u{e9}\": 1, \"e\u{301}\": 2}").object?.count == 2)
  }

  @Test(arguments: [
    ("", "1:1"), ("  ", "1:3"), ("{", "1:2"), ("[1,]", "1:4"), ("[1 2]", "1:4"), ("[1", "1:3"),
    ("{\"a\":1,}", "1:8"), ("{\"a\" 1}", "1:6"), ("{a:1}", "1:2"), ("{\"a\":1 \"b\":2}", "1:8"),
    ("{\n  \"a\": 1,\n  \"a\": 2\n}", "3:3"), ("01", "1:2"), ("-", "1:2"), ("1.", "1:3"),
    (".5", "1:1"), ("+1", "1:1"), ("1e", "1:3"), ("NaN", "1:1"), ("nul", "1:1"), ("truth", "1:1"),
    ("\"abc", "1:1"), ("\"a\u{1}\"", "1:3"), ("\"\\x\"", "1:3"), ("\"\\u12g4\"", "1:6"),
    ("\"\\ud800\"", "1:2"), ("\"\\udc00\"", "1:2"), ("\"\\ud800\\u0041\"", "1:2"), ("1 1", "1:3"),
    ("\u{feff}1", "1:1"), ("[\"é\", x]", "1:7"), ("\"\\", "1:3"), ("'a'", "1:1"), ("// c", "1:1"),
  ]) func malformedTextIsLocated(text: String, place: String) {
    #expect {
      try JSONReader.read(text, path: "f")
    } throws: { error in
      (error as? LabError)?.place == "f:\(place)" && (error as? LabError)?.kind == .badData
    }
  }

  @Test(arguments: [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]])
  func invalidUTF8IsRejected(bytes: [Int]) {
    let text = [0x22] + bytes.map { UInt8($0) } + [0x22]
    #expect(throws: LabError.self) {
      try text.withUnsafeBytes { try JSONReader.read($0, path: "f") }
    }
  }

  @Test func depthIsBounded() throws {
    let limit = JSONReader.maximumDepth
    let nested = { (count: Int) in
      String(repeating: "[", count: count) + String(repeating: "]", count: count)
    }
    #expect(try JSONReader.read(nested(limit)).array?.count == 1)
    #expect(throws: LabError.self) { try JSONReader.read(nested(limit + 1)) }
    #expect(throws: LabError.self) { try JSONReader.read(String(repeating: "[", count: 1_000_000)) }
    #expect(throws: LabError.self) {
      try JSONReader.read(String(repeating: "{\"a\":", count: 1_000_000))
    }
  }

  @Test func writingAndReadingIsTheIdentity() throws {
    let value: JSONValue = [
      "name": "quote \" backslash \\ tab \t bell \u{7} é 😀", "list": [1, 2.5, true, nil, []],
      "object": [:], "nan": JSONValue(Double.nan), "inf": JSONValue(-Float.infinity),
      "tenth": JSONValue(Float(0.1)), "small": JSONValue(1e-300),
    ]
    for pretty in [false, true] {
      #expect(try JSONReader.read(JSONWriter.text(value, pretty: pretty)) == value)
    }
    #expect(value["nan"] == .null && value["inf"] == .null && value["tenth"] == .number("0.1"))
    #expect(
      JSONWriter.text(["a": [1, 2], "b": [:]], pretty: true)
        == "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}")
    #expect(JSONWriter.text(["a": [1, nil]]) == "{\"a\":[1,null]}")
  }

  @Test func everyTruncationOfADocumentIsAnError() throws {
    let text = Array(#"{"a":[1.5e3,"é\u00e9\ud83d\ude00",{"b":null}],"c":true}"#.utf8)
    for count in 0..<text.count {
      #expect(throws: LabError.self) {
        try text[..<count].withUnsafeBytes { try JSONReader.read($0, path: "f") }
      }
    }
  }

  @Test func flippedBytesNeverTrap() throws {
    let text = Array(#"{"a":[1.5e3,"é\u00e9\ud83d\ude00",{"b":null}],"c":true}"#.utf8)
    for index in text.indices {
      for value in UInt8.min...UInt8.max {
        var changed = text
        changed[index] = value
        _ = try? changed.withUnsafeBytes { try JSONReader.read($0, path: "f") }
      }
    }
  }
}
