internal import TritCore

/// Characters, entities and addresses of Markdown and HTML.
enum MarkdownText {
  // MARK: Escaping

  /// `text` as it stands between tags and within attributes.
  static func escape(_ text: some Sequence<UInt8>, into result: inout [UInt8]) {
    for byte in text {
      switch byte {
      case UInt8(ascii: "&"): result += "&amp;".utf8
      case UInt8(ascii: "<"): result += "&lt;".utf8
      case UInt8(ascii: ">"): result += "&gt;".utf8
      case UInt8(ascii: "\""): result += "&quot;".utf8
      default: result.append(byte)
      }
    }
  }

  /// Text with its escapes and entities resolved.
  static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var index = text.startIndex
    while index < text.endIndex {
      if text[index] == UInt8(ascii: "\\"), index + 1 < text.endIndex,
        text[index + 1].isMarkdownPunctuation
      {
        result.append(text[index + 1])
        index += 2
      } else if text[index] == UInt8(ascii: "&"), let (value, length) = entity(text[index...]) {
        result += value
        index += length
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }

  // MARK: Entities

  /// The entity at the beginning of `text`, and how many bytes it takes.
  static func entity(_ text: ArraySlice<UInt8>) -> ([UInt8], Int)? {
    let head = text.prefix(34)
    guard let end = head.firstIndex(of: UInt8(ascii: ";")) else { return nil }
    let name = head[(head.startIndex + 1)..<end]
    let length = end + 1 - text.startIndex
    var value: UInt32?
    if name.first == UInt8(ascii: "#") {
      var digits = name.dropFirst()
      let isHex = digits.first.map { $0 | 0x20 } == UInt8(ascii: "x")
      if isHex { digits = digits.dropFirst() }
      guard (1...(isHex ? 6 : 7)).contains(digits.count),
        let number = UInt32(String(decoding: digits, as: UTF8.self), radix: isHex ? 16 : 10),
        digits.first != UInt8(ascii: "+")
      else { return nil }
      value = number
    } else {
      guard name.allSatisfy({ $0.isLetter || $0.isDigit }) else { return nil }
      value = names[String(decoding: name, as: UTF8.self)]
    }
    guard let value else { return nil }
    let scalar = value == 0 ? "\u{FFFD}" : Unicode.Scalar(value) ?? "\u{FFFD}"
    return (Array(VisibleText.prose(String(scalar)).utf8), length)
  }

  /// The entities of HTML 4, and marks that notebooks use: `name:scalar`.
  private static let names: [String: UInt32] = {
    var result: [String: UInt32] = [:]
    for word in table.split(separator: " ") {
      let parts = word.split(separator: ":")
      result[String(parts[0])] = UInt32(parts[1], radix: 16)
    }
    return result
  }()

  private static let table = """
    AElig:c6 Aacute:c1 Acirc:c2 Agrave:c0 Alpha:391 Aring:c5 Atilde:c3 Auml:c4 Beta:392 \
    Ccedil:c7 Chi:3a7 Dagger:2021 Delta:394 ETH:d0 Eacute:c9 Ecirc:ca Egrave:c8 Epsilon:395 \
    Eta:397 Euml:cb Gamma:393 Iacute:cd Icirc:ce Igrave:cc Iota:399 Iuml:cf Kappa:39a Lambda:39b \
    Mu:39c Ntilde:d1 Nu:39d OElig:152 Oacute:d3 Ocirc:d4 Ograve:d2 Omega:3a9 Omicron:39f \
    Oslash:d8 Otilde:d5 Ouml:d6 Phi:3a6 Pi:3a0 Prime:2033 Psi:3a8 Rho:3a1 Scaron:160 Sigma:3a3 \
    THORN:de Tau:3a4 Theta:398 Uacute:da Ucirc:db Ugrave:d9 Upsilon:3a5 Uuml:dc Xi:39e Yacute:dd \
    Yuml:178 Zeta:396 aacute:e1 acirc:e2 acute:b4 aelig:e6 agrave:e0 alefsym:2135 alpha:3b1 \
    amp:26 and:2227 ang:2220 apos:27 aring:e5 asymp:2248 atilde:e3 auml:e4 bdquo:201e beta:3b2 \
    brvbar:a6 bull:2022 cap:2229 ccedil:e7 cedil:b8 cent:a2 check:2713 chi:3c7 circ:2c6 \
    clubs:2663 cong:2245 copy:a9 crarr:21b5 cross:2717 cup:222a curren:a4 dArr:21d3 dagger:2020 \
    darr:2193 deg:b0 delta:3b4 diams:2666 divide:f7 eacute:e9 ecirc:ea egrave:e8 empty:2205 \
    emsp:2003 ensp:2002 epsilon:3b5 equiv:2261 eta:3b7 eth:f0 euml:eb euro:20ac exist:2203 \
    fnof:192 forall:2200 frac12:bd frac14:bc frac34:be frasl:2044 gamma:3b3 ge:2265 gt:3e \
    hArr:21d4 harr:2194 hearts:2665 hellip:2026 iacute:ed icirc:ee iexcl:a1 igrave:ec image:2111 \
    infin:221e int:222b iota:3b9 iquest:bf isin:2208 iuml:ef kappa:3ba lArr:21d0 lambda:3bb \
    lang:27e8 laquo:ab larr:2190 lceil:2308 ldquo:201c le:2264 lfloor:230a lowast:2217 loz:25ca \
    lrm:200e lsaquo:2039 lsquo:2018 lt:3c macr:af mdash:2014 micro:b5 middot:b7 minus:2212 \
    mu:3bc nabla:2207 nbsp:a0 ndash:2013 ne:2260 ni:220b not:ac notin:2209 nsub:2284 ntilde:f1 \
    nu:3bd oacute:f3 ocirc:f4 oelig:153 ograve:f2 oline:203e omega:3c9 omicron:3bf oplus:2295 \
    or:2228 ordf:aa ordm:ba oslash:f8 otilde:f5 otimes:2297 ouml:f6 para:b6 part:2202 \
    permil:2030 perp:22a5 phi:3c6 pi:3c0 piv:3d6 plusmn:b1 pound:a3 prime:2032 prod:220f \
    prop:221d psi:3c8 quot:22 rArr:21d2 radic:221a rang:27e9 raquo:bb rarr:2192 rceil:2309 \
    rdquo:201d real:211c reg:ae rfloor:230b rho:3c1 rlm:200f rsaquo:203a rsquo:2019 sbquo:201a \
    scaron:161 sdot:22c5 sect:a7 shy:ad sigma:3c3 sigmaf:3c2 sim:223c spades:2660 sub:2282 \
    sube:2286 sum:2211 sup:2283 sup1:b9 sup2:b2 sup3:b3 supe:2287 szlig:df tau:3c4 there4:2234 \
    theta:3b8 thetasym:3d1 thinsp:2009 thorn:fe tilde:2dc times:d7 trade:2122 uArr:21d1 \
    uacute:fa uarr:2191 ucirc:fb ugrave:f9 uml:a8 upsih:3d2 upsilon:3c5 uuml:fc weierp:2118 \
    xi:3be yacute:fd yen:a5 yuml:ff zeta:3b6 zwj:200d zwnj:200c
    """

  // MARK: Characters

  static func scalar(at index: Int, of text: [UInt8]) -> Unicode.Scalar? {
    guard index < text.count else { return nil }
    return String(decoding: text[index..<min(text.count, index + 4)], as: UTF8.self)
      .unicodeScalars.first
  }

  static func scalar(before index: Int, of text: [UInt8]) -> Unicode.Scalar? {
    guard index > 0 else { return nil }
    var start = index - 1
    while start > 0, index - start < 4, text[start] & 0xc0 == 0x80 { start -= 1 }
    return String(decoding: text[start..<index], as: UTF8.self).unicodeScalars.last
  }

  /// Unicode whitespace; so are the ends of a text.
  static func isBlank(_ scalar: Unicode.Scalar?) -> Bool {
    guard let scalar else { return true }
    return scalar == "\n" || scalar == "\t" || scalar == "\u{c}" || scalar == "\r"
      || scalar.properties.generalCategory == .spaceSeparator
  }

  /// Unicode punctuation and symbols.
  static func isSign(_ scalar: Unicode.Scalar?) -> Bool {
    guard let scalar else { return false }
    switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation, .mathSymbol, .currencySymbol,
      .modifierSymbol, .otherSymbol:
      return true
    default: return false
    }
  }

  // MARK: Addresses

  /// `<scheme:…>` or `<name@host>`: the address, and the bytes that it takes with its brackets.
  static func autolink(_ text: ArraySlice<UInt8>) -> ([UInt8], Int)? {
    var index = text.startIndex + 1
    var colon: Int?
    var at: Int?
    scan: while index < text.endIndex {
      switch text[index] {
      case UInt8(ascii: ">"): break scan
      case 0...0x20, UInt8(ascii: "<"): return nil
      case UInt8(ascii: ":"): colon = colon ?? index
      case UInt8(ascii: "@"): at = at ?? index
      default: break
      }
      index += 1
    }
    guard index < text.endIndex else { return nil }
    let content = text[(text.startIndex + 1)..<index]
    let length = index + 1 - text.startIndex
    if let colon, isScheme(content[..<colon]) { return (Array(content), length) }
    guard let at, colon == nil, isMail(content[..<at], content[(at + 1)...]) else { return nil }
    return (Array("mailto:".utf8) + content, length)
  }

  private static func isScheme(_ name: ArraySlice<UInt8>) -> Bool {
    (2...32).contains(name.count) && name.first?.isLetter == true
      && name.allSatisfy { $0.isLetter || $0.isDigit || "+.-".utf8.contains($0) }
  }

  private static func isMail(_ name: ArraySlice<UInt8>, _ host: ArraySlice<UInt8>) -> Bool {
    let dash = UInt8(ascii: "-")
    return !name.isEmpty
      && name.allSatisfy {
        $0.isLetter || $0.isDigit || ".!#$%&'*+/=?^_`{|}~-".utf8.contains($0)
      }
      && host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy {
        (1...63).contains($0.count) && $0.first != dash && $0.last != dash
          && $0.allSatisfy { $0.isLetter || $0.isDigit || $0 == dash }
      }
  }

  /// An address as it stands in a page, percent-encoded; nil where it leads to anything but the
  /// web, mail, or a place that is relative to the page.
  static func safeURL(_ address: [UInt8]) -> [UInt8]? {
    // Readers of addresses skip what is hidden, so it does not help to hide a scheme either.
    let visible = address.filter { $0 > 0x20 && $0 != 0x7f }
    let head = visible.prefix { !"/?#".utf8.contains($0) }
    if let colon = head.firstIndex(of: UInt8(ascii: ":")) {
      let scheme = String(decoding: head[..<colon], as: UTF8.self).lowercased()
      guard ["http", "https", "mailto"].contains(scheme) else { return nil }
    }
    var result: [UInt8] = []
    result.reserveCapacity(address.count)
    for (index, byte) in address.enumerated() {
      if byte == UInt8(ascii: "%"), index + 2 < address.count, isHex(address[index + 1]),
        isHex(address[index + 2])
      {
        result.append(byte)
      } else if byte.isLetter || byte.isDigit || ";/?:@&=+$,-_.!~*'()#".utf8.contains(byte) {
        result.append(byte)
      } else {
        result.append(UInt8(ascii: "%"))
        for digit in [byte >> 4, byte & 15] {
          result.append(digit < 10 ? 0x30 + digit : 0x37 + digit)
        }
      }
    }
    return result
  }

  private static func isHex(_ byte: UInt8) -> Bool {
    byte.isDigit || (0x41...0x46).contains(byte & 0xdf)
  }
}
