// The entry of the gadget.
import { start } from '../../common/start';
import { App } from './App';
import './styles/duty.css';
import './styles/plan.css';
import './styles/log.css';

start(<App />);
