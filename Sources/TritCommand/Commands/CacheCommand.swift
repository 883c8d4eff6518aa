import Foundation
import TritLab

/// `trit cache`: the prepared weights that are kept for the next start.
enum CacheCommand {
  static let action = ArgumentSpec(
    "action", help: "What to do", choices: ["list", "clear", "verify"])

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "cache", context,
      overview: "List, verify and remove prepared weights that are kept for the next start.",
      discussion: """
        A model that has run before starts without preparing its weights again: they are kept, as one CPU and one \
        program lay them out, in $XDG_CACHE_HOME/tritlab/images (else ~/.cache/tritlab/images), at most 8 GiB, those \
        used last. 'verify' reads every byte of them and of their models and ends with code 2 if one is not what it was; \
        'clear' removes all. Commands with --no-image-cache neither use nor write any; 'bench' writes none, and \
        'run' prepares anew.
        """,
      arguments: [action], groups: [],
      json: "one list of the images; clear: one object with what was removed",
      examples: [
        ("trit cache list", "what is kept, the one used last first"),
        ("trit cache verify", "whether all of it is still what was written"),
        ("trit cache clear", "remove all of it"),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    guard let folder = CacheFolder.images else {
      throw LabError(
        .missingInput, "there is no folder for caches",
        expected: "an absolute path in XDG_CACHE_HOME or HOME", advice: "set one of them")
    }
    let images = WeightImages(folder: folder)
    switch try arguments.choice(action) {
    case "clear":
      let removed = try images.clear()
      guard !arguments.isJSON else {
        return try Terminal.json([
          "folder": .string(folder), "removed": JSONValue(removed.count),
          "bytes": JSONValue(removed.bytes),
        ])
      }
      try Terminal.line("removed \(count(removed.count)), \(size(removed.bytes)), from \(folder)")
    case "verify": try verify(images, arguments)
    default: try list(images, arguments)
    }
  }

  private static func list(_ images: WeightImages, _ arguments: ParsedArguments) throws {
    let entries = try images.entries()
    if arguments.isJSON {
      return try Terminal.json(.array(entries.map { document($0) }))
    }
    for entry in entries {
      try Terminal.line(
        "\(date(entry.lastUsed))  \(size(entry.bytes))  \(clean(entry.content))\n  "
          + "of \(clean(entry.model))\(entry.fault.map { "; not used: \($0)" } ?? "")")
    }
    let total = entries.reduce(0) { $0 + $1.bytes }
    try Terminal.line(
      "\(count(entries.count)), \(size(total)) of at most \(size(images.limit)), in \(images.folder)"
    )
  }

  private static func verify(_ images: WeightImages, _ arguments: ParsedArguments) throws {
    let entries = try images.entries()
    var faults: [(path: String, fault: String)] = []
    var documents: [JSONValue] = []
    for entry in entries {
      let fault = try images.verify(entry)
      if let fault { faults.append((entry.path, fault)) }
      if arguments.isJSON {
        documents.append(document(entry, verified: fault))
      } else {
        try Terminal.line(
          "\(fault == nil ? "PASS" : "FAIL")  \(clean(entry.content)) of \(clean(entry.model))")
      }
    }
    if arguments.isJSON {
      try Terminal.json(.array(documents))
    } else if entries.isEmpty {
      try Terminal.line("there are no images in \(images.folder)")
    }
    guard faults.isEmpty else {
      throw LabError(
        .verdict, "\(faults.count) of \(count(entries.count)) cannot be relied on",
        got: faults.map { "\($0.path): \($0.fault)" }.joined(separator: "\n       "),
        advice: "remove them with 'trit cache clear'; they are made again when they are needed")
    }
  }

  private static func document(_ entry: WeightImages.Entry, verified fault: String?? = nil)
    -> JSONValue
  {
    var members: [(key: String, value: JSONValue)] = [
      ("path", .string(entry.path)), ("bytes", JSONValue(entry.bytes)),
      ("last_used", JSONValue(entry.lastUsed)), ("model", .string(entry.model)),
      ("content", .string(entry.content)), ("usable", .bool(entry.fault == nil)),
    ]
    if let fault {
      members.append(("verified", .bool(fault == nil)))
      members.append(("fault", fault.map { .string($0) } ?? .null))
    }
    return .object(members)
  }

  /// Text of a file for a terminal.
  private static func clean(_ text: String) -> String {
    String(
      text.unicodeScalars.map { scalar in
        scalar.properties.generalCategory == .control ? "?" : Character(scalar)
      })
  }

  private static func count(_ count: Int) -> String { count == 1 ? "1 image" : "\(count) images" }

  private static func size(_ bytes: Int) -> String {
    String(format: "%.1f MiB", Double(bytes) / 1_048_576)
  }

  private static func date(_ seconds: Int) -> String {
    let formatter = ISO8601DateFormatter()
    return formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
  }
}
