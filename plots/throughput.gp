# Speed of each variant: how fast a prompt is read and how fast new tokens come.
# data: row, prefill, deviation, decode, deviation, label, prefill shown, decode shown, roofs of both, what ran,
# both speeds shown.  apart: 1 where each bar has its figure
# roofs: 1 where the machine's roofs were measured.  disturbed: 1 where others used the machine
# half: of a bar's height.  shift: of the bars, upwards, for the line that says what ran.  low, high, ticks: the axis
eval frame
eval by_variant
set xrange [low:high]
eval 'set xtics '.ticks
upper(y) = y - half - shift
lower(y) = y + half - shift
bar = half*0.94
plot data using 2:(upper($1)):(0):2:(upper($1)-bar):(upper($1)+bar) with boxxyerror lc rgb blue, \
  data using 4:(lower($1)):(0):4:(lower($1)-bar):(lower($1)+bar) with boxxyerror lc rgb orange, \
  data using 2:(upper($1)):3 with xerrorbars lc rgb black lw 1.2 pt 0, \
  data using 4:(lower($1)):5 with xerrorbars lc rgb black lw 1.2 pt 0, \
  data using (0):1:ytic(6) with dots lc rgb pale, \
  data using (0):($1+2*half+0.04):11 with labels left offset 0.5,0 font ',11' textcolor rgb gray, \
  data using (high):(apart ? upper($1) : $1):(apart ? strcol(7) : strcol(12)) with labels left offset 1,0 font sprintf(',%g', value_size), \
  data using (apart ? high : NaN):(lower($1)):8 with labels left offset 1,0 font sprintf(',%g', value_size), \
  data using (roofs && $9 > 0 ? $9 : 1/0):(upper($1)-bar):(0):(2*bar) with vectors nohead lc rgb red lw 2, \
  data using (roofs && $10 > 0 ? $10 : 1/0):(lower($1)-bar):(0):(2*bar) with vectors nohead lc rgb red lw 2
