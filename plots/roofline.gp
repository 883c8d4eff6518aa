# Every kernel against both roofs: what the machine can read, and what it can multiply.
# data: one block a kernel: tokens, Gop/s.  label[]: names.  shape: of the matrix, in words.  highest: Gop/s.
# int8_peak, fp32_peak: Gop/s; lean_slope, wide_slope: Gop/s at one token when weights of lean_bits or
# 32 bits are read at full speed; 0 where nothing needs the line
set xlabel 'Tokens multiplied together (matrix '.shape.')'
set ylabel 'Gop/s (one op is a multiplication or an addition)'
set logscale xy
set logscale x 2
set xrange [0.9:most_tokens*1.12]
peak = int8_peak > 0 ? int8_peak : fp32_peak
top = (highest > peak ? highest : peak) * 1.8
set yrange [lowest*0.6:top]
set format y '%g'
min(a, b) = a < b ? a : b
set key outside right center vertical Left reverse spacing 1.15 font ',11' samplen 1.8 width 1
lean(x) = min(lean_slope*x, int8_peak)
wide(x) = min(wide_slope*x, fp32_peak)
if (lean_slope > 0) {
  set label 1 sprintf('int8 multiply-add peak, %.0f Gop/s', int8_peak) at first 1, first int8_peak left offset 0.5,0.6 textcolor rgb gray font ',10'
}
if (wide_slope > 0) {
  set arrow 2 from first 0.9, first fp32_peak to first most_tokens*1.12, first fp32_peak nohead lc rgb gray dt 3 lw 1.2
}
if (lean_slope > 0) { set arrow 1 from first 0.9, first int8_peak to first most_tokens*1.12, first int8_peak nohead lc rgb gray dt 3 lw 1.2 }
set samples 400
plot (lean_slope > 0 ? lean(x) : 1/0) with lines lc rgb black lw 1.6 title sprintf('roof: %.2g bits, int8', lean_bits), \
  (wide_slope > 0 ? wide(x) : 1/0) with lines lc rgb gray lw 1.6 title 'roof: 32 bits, fp32', \
  for [i=0:rows-1] data index i using 1:2 with linespoints lt (i+1) ps 0.7 title label[i+1]
