/// Something that owns one run of bytes.
package protocol RawMemory: AnyObject {
  /// The bytes; valid while the object lives.
  var rawBuffer: UnsafeRawBufferPointer { get }
}

extension AlignedBuffer: RawMemory {}
