import { testFirewalld } from './firewalld-cases.ts';

testFirewalld('iptables');
