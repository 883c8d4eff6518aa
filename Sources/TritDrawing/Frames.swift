import TritCore

/// A knob with one picture for each of its positions, made beforehand: a slider that needs neither
/// network nor library. Where scripts do not run, the picture in the middle is shown.
public struct Frames: Sendable, Equatable, Displayable {
  /// The knob's name.
  public var label: String
  /// What stands beside the slider, one for each frame.
  public let values: [String]
  /// SVG documents.
  public let frames: [String]

  /// Pairs values with pictures. Throws `LabError` where there are none, or not as many of one as
  /// of the other.
  public init(_ label: String, values: [String], frames: [String]) throws {
    guard !frames.isEmpty, values.count == frames.count else {
      throw LabError(
        .badData, "a slider needs a picture for each of its values",
        expected: "as many values as frames, at least one",
        got: "\(values.count) values, \(frames.count) frames",
        advice: "draw one frame for each value", code: .wrongShape)
    }
    self.label = label
    self.values = values
    self.frames = frames.map { SVGImage($0).svg }
  }

  /// One frame for each value, drawn by `draw`.
  public init<Value>(
    _ label: String, _ values: [Value], draw: (Value) throws -> SVGImage
  ) throws {
    try self.init(
      label, values: values.map { "\($0)" }, frames: values.map { try draw($0).svg })
  }

  /// The frame that is shown first, and where nothing moves.
  public var middle: Int { frames.count / 2 }

  /// HTML with the slider, the middle frame, and words.
  public var displayData: DisplayData {
    let list = values.prefix(12).joined(separator: ", ") + (values.count > 12 ? ", …" : "")
    return DisplayData(
      plain: "\(label): a slider of \(frames.count) pictures (\(list)); here \(values[middle])",
      [.html: html, .svg: frames[middle]])
  }

  /// The handler names nothing outside of its own element: any number of sliders share a page, and
  /// copies of one too.
  private static let script =
    "var r=this.closest('.trit-frames'),f=r.querySelectorAll('.trit-frame'),"
    + "v=f[this.value].getAttribute('data-value');"
    + "for(var i=0;i<f.length;i++)f[i].hidden=i!=this.value;"
    + "r.querySelector('output').textContent=v;this.setAttribute('aria-valuetext',v)"

  private var html: String {
    let value = Markup.xml(values[middle])
    let digest = SHA256.hex((values + frames).joined(separator: "\n")).prefix(10)
    let pictures = frames.enumerated().map { index, svg in
      "<div class=\"trit-frame\" data-value=\"\(Markup.xml(values[index]))\""
        + (index == middle ? "" : " hidden") + ">"
        + Self.scoped(svg, "f\(digest)-\(index)-") + "</div>"
    }
    return """
      <div class="trit-frames"><label>\(Markup.xml(label)) \
      <input type="range" min="0" max="\(frames.count - 1)" step="1" value="\(middle)" \
      aria-valuetext="\(value)" style="width:60%;max-width:20em;vertical-align:middle" \
      oninput="\(Markup.xml(Self.script))"> <output>\(value)</output></label>
      \(pictures.joined(separator: "\n"))
      </div>
      """
  }

  /// The picture with its ids, and what refers to them, under a prefix: frames of one knob name the
  /// same things, and a page may hold a name once.
  static func scoped(_ svg: String, _ prefix: String) -> String {
    let ids = Set(svg.matches(of: /\bid\s*=\s*["']([^"']+)["']/).map { String($0.output.1) })
    guard !ids.isEmpty else { return svg }
    var result = svg.replacing(/\bid(\s*=\s*)(["'])([^"']+)["']/) { match in
      "id\(match.output.1)\(match.output.2)\(prefix)\(match.output.3)\(match.output.2)"
    }
    result = result.replacing(/(href\s*=\s*["']#)([^"']+)/) { match in
      ids.contains(String(match.output.2))
        ? "\(match.output.1)\(prefix)\(match.output.2)" : String(match.output.0)
    }
    return result.replacing(/(url\(\s*['"]?#)([^'")\s]+)/) { match in
      ids.contains(String(match.output.2))
        ? "\(match.output.1)\(prefix)\(match.output.2)" : String(match.output.0)
    }
  }
}
