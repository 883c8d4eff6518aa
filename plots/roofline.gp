# Every kernel against both roofs: what the machine can read, and what it can multiply.
# data: one block a kernel: tokens, Gop/s; those that lie on another come after the drawn ones.  label[]: names
# int8_peak, fp32_peak: Gop/s; lean_slope, wide_slope: Gop/s at one token when weights of the leanest kernel or of
# 32 bits are read at full speed; 0 where nothing needs the line
eval frame
min(a, b) = a < b ? a : b
set samples 400
eval panels_begin
do for [p=1:panels] {
  eval panel
  if (lean_slope > 0) { set arrow 1 from first x_low, first int8_peak to first x_high, first int8_peak nohead lc rgb gray dt 3 lw 1.2 }
  if (wide_slope > 0) { set arrow 2 from first x_low, first fp32_peak to first x_high, first fp32_peak nohead lc rgb gray dt 3 lw 1.2 }
  plot (lean_slope > 0 ? min(lean_slope*x, int8_peak) : NaN) with lines lc rgb black lw 1.6, \
    (wide_slope > 0 ? min(wide_slope*x, fp32_peak) : NaN) with lines lc rgb gray lw 1.6, \
    for [i=panel_first[p]:panel_last[p]] data index i using 1:2 with linespoints lt type[i+1] ps 0.6
  eval panels_next
}
eval panels_end
