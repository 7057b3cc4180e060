package temper
