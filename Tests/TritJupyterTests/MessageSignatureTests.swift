import Testing
import TritJupyter

@Suite struct MessageSignatureTests {
  /// RFC 4231, section 4: test cases 1–4, 6 and 7 (case 5 is about a digest that is cut).
  @Test(arguments: [
    (
      [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    ),
    (
      Array(0x01...0x19), [UInt8](repeating: 0xcd, count: 50),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
    ),
    (
      [UInt8](repeating: 0xaa, count: 131),
      Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
    (
      [UInt8](repeating: 0xaa, count: 131),
      Array(
        "This is a test using a larger than block-size key and a larger than block-size data. "
          .utf8)
        + Array("The key needs to be hashed before being used by the HMAC algorithm.".utf8),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    ),
  ])
  func isThatOfTheStandard(key: [UInt8], text: [UInt8], digest: String) {
    let signature = MessageSignature(key: key)
    #expect(String(decoding: signature.signature(of: [text]), as: UTF8.self) == digest)
    // However the text is cut into parts.
    let parts = [Array(text.prefix(3)), [], Array(text.dropFirst(3))]
    #expect(signature.accepts(Array(digest.utf8), of: parts))
    #expect(!signature.accepts(Array(digest.utf8.dropLast()), of: parts))
    #expect(!signature.accepts(Array(digest.utf8.dropLast()) + [0], of: parts))
  }

  @Test func withoutAKeyNothingIsSigned() {
    let signature = MessageSignature(key: [])
    #expect(signature.signature(of: [[1]]).isEmpty)
    #expect(signature.accepts([1, 2], of: [[1]]))
  }
}
