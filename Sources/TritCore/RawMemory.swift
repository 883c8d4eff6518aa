/// Something that owns one run of bytes: an `AlignedBuffer` of any element.
public protocol RawMemory: AnyObject {
  /// The bytes; valid while the object lives.
  var rawBuffer: UnsafeRawBufferPointer { get }
}

extension AlignedBuffer: RawMemory {}
