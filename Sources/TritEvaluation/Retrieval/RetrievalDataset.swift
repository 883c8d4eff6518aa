import TritCore
import TritFormats

/// Documents, and queries with the documents that answer them.
public struct RetrievalDataset: Sendable {
  /// A text to be found.
  public struct Document: Sendable, Hashable {
    /// Its name among the documents.
    public let id: String
    /// Its title, where it has one, and its text, joined by a space.
    public let text: String

    /// A document.
    public init(id: String, text: String) {
      self.id = id
      self.text = text
    }
  }

  /// A text that asks.
  public struct Query: Sendable, Hashable {
    /// Its name among the queries.
    public let id: String
    /// The question.
    public let text: String
    /// How relevant documents are, by id: 1 and up; those that are not named are not.
    public let relevant: [String: Int]
  }

  /// Where it was read.
  public let name: String
  /// In the order of the file.
  public let documents: [Document]
  /// In the order of the file.
  public let queries: [Query]
  /// SHA-256 of the file, 64 hex digits.
  public let digest: String
  /// Bytes of the file.
  public let byteCount: Int

  private static let form =
    "{\"id\": \"d1\", \"text\": \"…\"} for a document (\"title\" too), "
    + "{\"id\": \"q1\", \"query\": \"…\", \"relevant\": [\"d1\"]} for a query"

  /// Reads a JSONL file, a document or a query a line:
  ///
  /// - `{"id": "d1", "title": "…", "text": "…"}`: a document; the title may be missing;
  /// - `{"id": "q1", "query": "…", "relevant": ["d1", "d7"]}`: a query; or
  ///   `"relevant": {"d1": 2, "d7": 1}` with grades.
  ///
  /// `_id` stands for `id`, as the sets of BEIR and MTEB have it. At most `limit` queries are
  /// taken; all documents are. Throws `missingInput` where there is no file, `badData` with the
  /// line for what is neither, ids that are there twice, and answers that are no document.
  public static func load(_ path: String, limit: Int? = nil) throws -> RetrievalDataset {
    guard FileKind(at: path) != .absent else {
      throw LabError(
        .missingInput, "there is no such file of queries and documents", at: path, expected: form,
        advice: "check the path")
    }
    let file = try MappedFile(path, limit: .questions)
    var documents: [Document] = []
    var queries: [(query: Query, place: String)] = []
    var digest = ""
    try file.span.withUnsafeBytes { bytes in
      if let foreign = ForeignFile(bytes) {
        throw foreign.error(at: path, expected: "a JSONL file of queries and documents")
      }
      digest = SHA256.hex(bytes)
      try JSONLine.forEach(of: bytes, at: path) { value, place in
        if value["query"] == nil {
          documents.append(try document(value, at: place))
        } else if queries.count < limit ?? .max {
          queries.append((try query(value, at: place), place))
        }
        return true
      }
    }
    try check(documents, queries, path: path)
    return RetrievalDataset(
      name: path, documents: documents, queries: queries.map(\.query), digest: digest,
      byteCount: file.span.byteCount)
  }

  private static func document(_ value: JSONValue, at place: String) throws -> Document {
    let text = try string(value, ["text", "document"], at: place)
    let title = try value["title"].map { try words($0, "title", at: place) } ?? ""
    return Document(
      id: try string(value, ["id", "_id"], at: place),
      text: title.isEmpty ? text : title + " " + text)
  }

  private static func query(_ value: JSONValue, at place: String) throws -> Query {
    var relevant: [String: Int] = [:]
    switch value["relevant"] {
    case .array(let ids)?:
      for id in ids { relevant[try words(id, "relevant", at: place)] = 1 }
    case .object(let members)?:
      for (id, grade) in members {
        guard let number = grade.integer, (0...1000).contains(number) else {
          throw LabError(
            .badData, "a grade is no whole number", at: "\(place): relevant.\(id)",
            expected: "0…1000", got: grade.inWords)
        }
        if number > 0 { relevant[id] = number }
      }
    default: break
    }
    guard !relevant.isEmpty else {
      throw LabError(
        .badData, "the query has no relevant document", at: "\(place): relevant",
        expected: "a list of ids of documents, or grades by id",
        advice: "leave out queries that nothing answers: they have no nDCG")
    }
    return Query(
      id: try string(value, ["id", "_id"], at: place),
      text: try string(value, ["query"], at: place), relevant: relevant)
  }

  private static func string(_ value: JSONValue, _ keys: [String], at place: String) throws
    -> String
  {
    for key in keys {
      if let member = value[key] { return try words(member, key, at: place) }
    }
    throw LabError(
      .badData, "the key '\(keys[0])' is missing", at: place, expected: form)
  }

  private static func words(_ value: JSONValue, _ key: String, at place: String) throws -> String {
    guard let text = value.string else {
      throw LabError(
        .badData, "wrong type", at: "\(place): \(key)", expected: "a string", got: value.inWords)
    }
    return text
  }

  private static func check(
    _ documents: [Document], _ queries: [(query: Query, place: String)], path: String
  ) throws {
    guard !documents.isEmpty, !queries.isEmpty else {
      throw LabError(
        .badData, documents.isEmpty ? "there are no documents" : "there are no queries", at: path,
        expected: form)
    }
    var known: Set<String> = []
    for document in documents where !known.insert(document.id).inserted {
      throw LabError(.badData, "two documents have one id", at: path, got: document.id)
    }
    var seen: Set<String> = []
    for (query, place) in queries {
      guard seen.insert(query.id).inserted else {
        throw LabError(.badData, "two queries have one id", at: place, got: query.id)
      }
      if let stray = query.relevant.keys.sorted().first(where: { !known.contains($0) }) {
        throw LabError(
          .badData, "a relevant document is not there", at: "\(place): relevant",
          expected: "ids of documents of the file", got: stray,
          advice: Suggestion.didYouMean(stray, Array(known.prefix(10_000))))
      }
    }
  }
}
