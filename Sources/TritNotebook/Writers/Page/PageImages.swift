import Foundation
internal import TritCore
internal import TritDrawing
internal import TritLab

/// Files that a notebook's text shows as images: read from beside it, and put into the page.
final class PageImages {
  /// What is too large for a page that is read on a phone.
  static let limit = FileLimit("an image of a notebook", bytes: 8 << 20)

  /// What was not shown, and why.
  private(set) var notes: [String] = []
  private let folder: String
  private let path: String
  /// Resolved folders that images may lie in.
  private let roots: [String]

  /// Images beside the notebook at `path`, below its folder, and in the folder `plots` of its
  /// repository.
  init(notebook path: String) {
    self.path = path
    folder =
      path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
    let base = folder.isEmpty ? "/" : folder
    var roots = [Self.resolved(base)].compactMap(\.self)
    if let first = roots.first, let repository = Self.repository(above: first) {
      roots += [Self.resolved(repository + "/plots")].compactMap(\.self)
    }
    self.roots = roots
  }

  /// The image at `source` as an element; its description where it cannot be shown.
  func markup(_ source: String, _ description: String, _ title: String?) -> String {
    do {
      return try element(source, description, title)
    } catch {
      let problem = (error as? LabError)?.description ?? "\(error)"
      notes.append("\(path): the image '\(VisibleText.line(source))' is not shown: \(problem)")
      return
        "<em class=\"missing\">\(PageText.html(description.isEmpty ? source : description))</em>"
    }
  }

  /// The image at `source` as an address that holds it; nil where it cannot be shown.
  func data(_ source: String) -> String? {
    guard let (bytes, type) = try? read(source) else { return nil }
    return "data:\(type);base64,\(Data(bytes).base64EncodedString())"
  }

  private func element(
    _ source: String, _ description: String, _ title: String?
  ) throws -> String {
    let (bytes, type) = try read(source)
    var kind = "figure raster"
    var style = ""
    if type == MediaType.svg.rawValue {
      let text = String(decoding: bytes, as: UTF8.self)
      (kind, style) = FigureForm.of(text)
    }
    let data = Data(bytes).base64EncodedString()
    let caption = title.map { " title=\"\(PageText.html($0))\"" } ?? ""
    return "<span class=\"\(kind)\"><img alt=\"\(PageText.html(description))\"\(caption)\(style) "
      + "src=\"data:\(type);base64,\(data)\" /></span>"
  }

  private func read(_ source: String) throws -> (bytes: [UInt8], type: String) {
    let name = source.removingPercentEncoding ?? source
    guard !name.isEmpty, !name.contains("://"), !name.hasPrefix("//"), !name.hasPrefix("data:"),
      !name.contains("\0")
    else {
      throw LabError(
        .badData, "pages fetch nothing", at: VisibleText.line(source),
        expected: "a file beside the notebook or in the repository's folder plots",
        advice: "save the image there and name it by its relative path")
    }
    let place = name.hasPrefix("/") ? name : (folder.isEmpty ? "/" : folder + "/") + name
    guard let file = Self.resolved(place) else { throw LabError.noFile(place) }
    guard roots.contains(where: { file.hasPrefix($0 == "/" ? $0 : $0 + "/") }) else {
      throw LabError(
        .badData, "outside of what a notebook may show", at: place,
        expected: "a file below \(roots.joined(separator: " or "))",
        advice: "copy the image beside the notebook")
    }
    let bytes = try WholeFile.read(file, limit: Self.limit)
    return (bytes, try Self.type(of: bytes, at: place))
  }

  private static func type(of bytes: [UInt8], at place: String) throws -> String {
    if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) { return "image/png" }
    if bytes.starts(with: [0xff, 0xd8, 0xff]) { return "image/jpeg" }
    if bytes.starts(with: "GIF8".utf8) { return "image/gif" }
    if InlineSVG.find("<svg", in: Array(bytes.prefix(4096)), from: 0) != nil,
      String(validating: bytes, as: UTF8.self) != nil
    {
      return MediaType.svg.rawValue
    }
    throw LabError(
      .badData, "no image that a page can show", at: place, expected: "SVG, PNG, JPEG or GIF",
      got: "\(bytes.count) bytes of something else", advice: "check that this is the file you meant"
    )
  }

  /// The path without links; nil where there is nothing.
  private static func resolved(_ path: String) -> String? {
    guard let pointer = realpath(path, nil) else { return nil }
    defer { free(pointer) }
    return String(cString: pointer)
  }

  /// The nearest folder above that is a repository or holds the lab's plots.
  private static func repository(above folder: String) -> String? {
    var folder = folder
    for _ in 0..<12 {
      if FileManager.default.fileExists(atPath: folder + "/.git")
        || FileManager.default.fileExists(atPath: folder + "/plots/style.gp")
      {
        return folder
      }
      guard let slash = folder.lastIndex(of: "/"), folder != "/" else { return nil }
      folder = String(folder[..<slash])
    }
    return nil
  }
}

/// How a drawing stands on a page.
enum FigureForm {
  /// The classes of its box, and the style of its element: drawings for white paper lie on a light
  /// card in the dark, wide ones keep a readable size and scroll, narrow ones their own.
  static func of(_ svg: String) -> (kind: String, style: String) {
    let paper = InlineSVG.followsScheme(svg) ? "figure" : "figure paper"
    guard let width = InlineSVG.width(svg) else { return (paper, "") }
    if width > 480 { return (paper + " wide", "") }
    return (paper, " style=\"width:\(Int(width.rounded(.up)))px\"")
  }
}

/// Text within a page.
enum PageText {
  /// As it stands between tags and in attributes; what is hidden is written out.
  static func html(_ text: String) -> String {
    var result: [UInt8] = []
    MarkdownText.escape(VisibleText.prose(text).utf8, into: &result)
    return String(decoding: result, as: UTF8.self)
  }
}
